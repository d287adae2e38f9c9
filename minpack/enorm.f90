!> The Euclidean norm.
module enorm_module
    use, intrinsic :: iso_c_binding, only: c_int
    use machine_module, only: dp
    implicit none
    private
    public :: enorm, norm_of_squares, norm_sums, norm_start, norm_add, norm_value, norm_block

    integer, parameter :: norm_block = 256                !< components that norm_add takes at most
    real(dp), parameter :: rdwarf = 3.834e-20_dp          !< its square does not underflow
    real(dp), parameter :: rgiant = 1.304e19_dp           !< n squares of rgiant/n do not overflow

    !> A norm in the making: three sums, of the large (s1) and the small (s3) components scaled by the largest of their
    !> kind so far, and of the squares of the others (s2).
    type :: norm_sums
        real(dp) :: s1 = 0, s2 = 0, s3 = 0
        real(dp) :: x1max = 0, x3max = 0
        real(dp) :: agiant                                 !< smallest large component
    end type norm_sums

contains

    !> Euclidean norm of x, safe from overflow and underflow.
    !>
    !> Source: Moré, Garbow, Hillstrom, User guide for MINPACK-1, ANL-80-74, section on ENORM.
    !> Bits: the three sums add in increasing i. A NaN counts as large and makes the norm NaN.
    pure function enorm(n, x) result(norm) bind(C, name="minpack_enorm")
        integer(c_int), value, intent(in) :: n      !< length of x, n >= 0
        real(dp),              intent(in) :: x(n)   !< vector
        real(dp) :: norm
        real(dp) :: s2, smallest

        s2 = 0
        smallest = huge(smallest)
        if (n <= norm_block) then
            call sum_squares(n, x, s2, smallest)
            norm = norm_of_squares(n, x, s2, smallest)
        else
            norm = norm_by_blocks(n, x)
        end if
    end function enorm

    !> As enorm, where somebody has summed the squares on the way.
    pure function norm_of_squares(n, x, s2, smallest) result(norm)
        integer(c_int), intent(in) :: n
        real(dp),       intent(in) :: x(n)
        real(dp),       intent(in) :: s2         !< all squares, added in increasing i
        real(dp),       intent(in) :: smallest   !< least |x(i)|, NaNs aside
        real(dp) :: norm

        if (is_plain(rgiant / n, s2, smallest, n, x)) then
            norm = sqrt(s2)      ! which norm_value comes to, too
        else
            norm = norm_by_blocks(n, x)
        end if
    end function norm_of_squares

    !> As enorm, for a vector that is long or has large, small or NaN components.
    pure function norm_by_blocks(n, x) result(norm)
        integer(c_int), intent(in) :: n
        real(dp),       intent(in) :: x(n)
        real(dp) :: norm
        type(norm_sums) :: sums
        integer(c_int) :: i

        sums = norm_start(n)
        do i = 1, n, norm_block
            call norm_add(sums, min(norm_block, n - i + 1), x(i:n))
        end do
        norm = norm_value(sums)
    end function norm_by_blocks

    !> Sums for a vector of n components, none of them added yet.
    pure function norm_start(n) result(sums)
        integer(c_int), intent(in) :: n
        type(norm_sums) :: sums

        sums%agiant = rgiant / n
    end function norm_start

    !> Add the next components, at most norm_block.
    !>
    !> Nearly every block has no large, small or NaN component. Its squares are summed at once.
    pure subroutine norm_add(sums, n, x)
        type(norm_sums), intent(inout) :: sums
        integer(c_int),  intent(in)    :: n
        real(dp),        intent(in)    :: x(n)
        real(dp) :: s2, smallest
        integer(c_int) :: i

        s2 = sums%s2
        smallest = sums%agiant
        call sum_squares(n, x, s2, smallest)
        if (is_plain(sums%agiant, s2, smallest, n, x)) then
            sums%s2 = s2
        else
            do i = 1, n
                call add_component(sums, abs(x(i)))
            end do
        end if
    end subroutine norm_add

    !> Add all squares to s2, in increasing i; smallest <- the least |x(i)| if that is less, NaNs aside.
    !>
    !> Finding the least fits into the time that each addition waits for the one before.
    pure subroutine sum_squares(n, x, s2, smallest)
        integer(c_int), intent(in)    :: n
        real(dp),       intent(in)    :: x(n)
        real(dp),       intent(inout) :: s2
        real(dp),       intent(inout) :: smallest
        real(dp) :: xabs
        integer(c_int) :: i

        do i = 1, n
            xabs = abs(x(i))
            s2 = s2 + xabs**2
            smallest = merge(xabs, smallest, xabs < smallest)
        end do
    end subroutine sum_squares

    !> Whether a block has no large, small or NaN component, so that s2 is the sum of all squares; a zero adds nothing.
    !>
    !> May also say no of a plain block whose sum is large; then its components are added one by one, to the same bits.
    pure function is_plain(agiant, s2, smallest, n, x) result(plain)
        real(dp),       intent(in) :: agiant     !< smallest large component
        real(dp),       intent(in) :: s2         !< sum of squares; a large component makes it large, a NaN NaN
        real(dp),       intent(in) :: smallest   !< least |x(i)|, NaNs aside
        integer(c_int), intent(in) :: n
        real(dp),       intent(in) :: x(n)
        logical :: plain
        integer(c_int) :: i, small

        plain = s2 < agiant**2
        if (.not. plain .or. smallest > rdwarf) return
        small = 0
        do i = 1, n
            small = small + merge(1, 0, x(i) /= 0 .and. abs(x(i)) <= rdwarf)
        end do
        plain = small == 0
    end function is_plain

    !> Add one component of any size.
    pure subroutine add_component(sums, xabs)
        type(norm_sums), intent(inout) :: sums
        real(dp),        intent(in)    :: xabs

        if (xabs > rdwarf .and. xabs < sums%agiant) then
            sums%s2 = sums%s2 + xabs**2
        else if (xabs <= rdwarf) then
            if (xabs > sums%x3max) then
                sums%s3 = 1 + sums%s3 * (sums%x3max / xabs)**2
                sums%x3max = xabs
            else if (xabs /= 0) then
                sums%s3 = sums%s3 + (xabs / sums%x3max)**2
            end if
        else
            if (xabs <= sums%x1max) then
                sums%s1 = sums%s1 + (xabs / sums%x1max)**2
            else
                sums%s1 = 1 + sums%s1 * (sums%x1max / xabs)**2
                sums%x1max = xabs
            end if
        end if
    end subroutine add_component

    !> The norm of what has been added.
    pure function norm_value(sums) result(norm)
        type(norm_sums), intent(in) :: sums
        real(dp) :: norm

        associate (s1 => sums%s1, s2 => sums%s2, s3 => sums%s3, x1max => sums%x1max, x3max => sums%x3max)
            if (s1 /= 0) then
                norm = x1max * sqrt(s1 + (s2 / x1max) / x1max)
            else if (s2 == 0) then
                norm = x3max * sqrt(s3)
            else if (s2 >= x3max) then
                norm = sqrt(s2 * (1 + (x3max / s2) * (x3max * s3)))
            else
                norm = sqrt(x3max * ((s2 / x3max) + (x3max * s3)))
            end if
        end associate
    end function norm_value

end module enorm_module
