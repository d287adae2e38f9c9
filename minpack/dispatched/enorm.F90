!> The Euclidean norm.
!>
!> MINPACK accumulates the squares in three sums, by magnitude: small components, at most rdwarf, scaled by the largest
!> of them; large ones, rgiant/n or more, likewise; the others unscaled. Nearly every vector has no large component, and
!> small ones next to others do not affect its norm. Then the sum of the others is enough, with small components as zero
!> (`is_settled`). Otherwise each component is added to the sum of its kind.
module enorm_module
    use, intrinsic :: iso_c_binding, only: c_int
    use machine_module, only: dp
    implicit none
    private
    public :: enorm, norm_of_squares, norm_of_difference, subtract_and_norm, rdwarf

    integer, parameter :: norm_block = 32                 !< components processed together
    integer, parameter :: few = 6                         !< greatest length for which vectorising does not pay
    integer, parameter :: short = 16                      !< greatest length for which scanning ahead does not pay
    real(dp), parameter :: rdwarf = 3.834e-20_dp          !< largest small component; above it squares are normal
    real(dp), parameter :: rgiant = 1.304e19_dp           !< n squares of rgiant/n do not overflow
    real(dp), parameter :: never_large = rgiant / 2.0_dp**31    !< a component below this is not large for any n
    real(dp), parameter :: typical = 1.0e-12_dp           !< sum of squares above which small ones cannot matter

    !> Partial sums of a norm: squares of the large (s1) and the small (s3) components, scaled by the largest of their
    !> kind so far, and of the others (s2).
    type :: norm_sums
        real(dp) :: s1 = 0, s2 = 0, s3 = 0
        real(dp) :: x1max = 0, x3max = 0
        integer(c_int) :: n                               !< length of the vector
    end type norm_sums

contains

    !> Euclidean norm of x, safe from overflow and underflow.
    !>
    !> Source: Moré, Garbow, Hillstrom, User guide for MINPACK-1, ANL-80-74, section on ENORM.
    !> Bits: each of the three sums adds in increasing i. A NaN makes the norm NaN.
    pure function enorm(n, x) result(norm) bind(C, name="minpack_enorm" // SUFFIX)
        integer(c_int), value, intent(in) :: n      !< length of x, n >= 0
        real(dp),              intent(in) :: x(n)   !< vector
        real(dp) :: norm
        real(dp) :: giant, s2
        integer(c_int) :: first

        ! Guess from two components where to begin.
        if (n == 0) then
            norm = 0
        else if (.not. (is_other(x(1)) .or. is_other(x(n / 2 + 1)))) then
            norm = norm_by_kinds(n, x)
        else if (n <= norm_block) then
            norm = root_of_squares(n, x, s2_with(n, x, 0.0_dp))
        else
            giant = (rgiant / n)**2
            s2 = 0
            do first = 1, n, norm_block
                s2 = s2_with(min(norm_block, n - first + 1), x(first:n), s2)
                if (s2 >= giant) exit
            end do
            norm = root_of_squares(n, x, s2)
        end if
    end function enorm

    !> As enorm, given s2, the sum of squares with small components as zero.
    pure function norm_of_squares(n, x, s2) result(norm)
        integer(c_int), intent(in) :: n
        real(dp),       intent(in) :: x(n)
        real(dp),       intent(in) :: s2
        real(dp) :: norm

        norm = root_of_squares(n, x, s2)
    end function norm_of_squares

    !> y <- y - t v, and its norm.
    !>
    !> Bits: the product is rounded before it is subtracted.
    pure subroutine subtract_and_norm(m, v, t, y, norm)
        integer(c_int), intent(in)    :: m
        real(dp),       intent(in)    :: v(m), t
        real(dp),       intent(inout) :: y(m)
        real(dp),       intent(out)   :: norm
        real(dp) :: s2
        integer(c_int) :: first, last
        logical :: cancelled

        s2 = 0
        cancelled = .false.
        if (m > norm_block) cancelled = is_rounding(m, y(1) - t * v(1), y(m / 2 + 1) - t * v(m / 2 + 1))
        do first = 1, m, norm_block
            last = first + min(norm_block - 1, m - first)
            y(first:last) = y(first:last) - t * v(first:last)
            if (.not. cancelled) s2 = s2_with(last - first + 1, y(first:last), s2)
        end do
        norm = root_of_squares(m, y, s2)
    end subroutine subtract_and_norm

    !> Norm of y - t v, without storing it.
    !>
    !> Bits: the product is rounded before it is subtracted.
    pure function norm_of_difference(n, y, incy, t, v) result(norm)
        integer(c_int), intent(in) :: n
        integer(c_int), intent(in) :: incy               !< stride of y
        real(dp),       intent(in) :: y(incy, n)         !< y is its first row
        real(dp),       intent(in) :: t, v(n)
        real(dp) :: norm
        real(dp) :: s2, x(norm_block)
        type(norm_sums) :: sums
        integer(c_int) :: first, last
        logical :: cancelled

        s2 = 0
        cancelled = .false.
        if (n > norm_block) cancelled = is_rounding(n, y(1, 1) - t * v(1), y(1, n / 2 + 1) - t * v(n / 2 + 1))
        do first = 1, merge(0, n, cancelled), norm_block
            last = first + min(norm_block - 1, n - first)
            x(1:last - first + 1) = y(1, first:last) - t * v(first:last)
            s2 = s2_with(last - first + 1, x, s2)
        end do
        if (is_settled(n, s2)) then
            norm = sqrt(s2)
            return
        end if
        sums%n = n
        do first = 1, n, norm_block
            last = first + min(norm_block - 1, n - first)
            x(1:last - first + 1) = y(1, first:last) - t * v(first:last)
            call add_block(last - first + 1, x, sums)
        end do
        norm = norm_value(sums)
    end function norm_of_difference

    !> Whether two sample components look like rounding errors, as equal columns leave them, and not like a peak's tail:
    !> then s2 will not settle the norm and is not worth summing. Only a guess: s2 = 0 leaves the norm to norm_by_kinds.
    pure function is_rounding(n, x1, x2)
        integer(c_int), value, intent(in) :: n      !< length of the vector
        real(dp), value,       intent(in) :: x1, x2
        logical :: is_rounding

        is_rounding = n * (x1**2 + x2**2) < rdwarf .and. (abs(x1) > rdwarf .or. abs(x2) > rdwarf)
    end function is_rounding

    !> s2 + the squares of a block, in increasing i, with small components as zero.
    !>
    !> If the first component is small, the others probably are: scan all first, which may save the sum. The squares are
    !> computed apart from the sum, vectorised and without branches.
    pure function s2_with(n, x, s2) result(total)
        integer(c_int), value, intent(in) :: n          !< at least 1, at most norm_block
        real(dp),              intent(in) :: x(n)
        real(dp), value,       intent(in) :: s2
        real(dp) :: total
        real(dp) :: others, square(norm_block), y
        integer(c_int) :: i

        total = s2
        if (n > short .and. abs(x(1)) <= rdwarf) then
            others = 0
            !$omp simd reduction(max: others) private(y)
            do i = 1, n
                y = merge(0.0_dp, 1.0_dp, abs(x(i)) <= rdwarf)
                others = merge(y, others, y > others)
            end do
            if (others == 0) return
        end if
        if (n <= few) then
            do i = 1, n
                if (.not. abs(x(i)) <= rdwarf) total = total + x(i)**2
            end do
            return
        end if
        do i = 1, n
            square(i) = x(i) * merge(0.0_dp, x(i), abs(x(i)) <= rdwarf)
        end do
        do i = 1, n
            total = total + square(i)
        end do
    end function s2_with

    !> Norm of x from s2, its sum of squares with small components as zero, if that is enough.
    pure function root_of_squares(n, x, s2) result(norm)
        integer(c_int), value, intent(in) :: n
        real(dp),              intent(in) :: x(n)
        real(dp), value,       intent(in) :: s2
        real(dp) :: norm

        if (is_settled(n, s2)) then
            norm = sqrt(s2)
        else
            norm = norm_by_kinds(n, x)
        end if
    end function root_of_squares

    !> Whether the norm is sqrt(s2), to the bit.
    !>
    !> The square of a large component is at least (rgiant/n)**2, and no sum is less than one of its terms. If s2 >=
    !> x3max, small components enter as a factor 1 + (x3max/s2) (x3max s3), which is 1 here: x3max <= rdwarf, s3 <= n,
    !> and rounding is monotonic. Only a NaN makes s2 NaN, and the norm with it.
    pure function is_settled(n, s2)
        integer(c_int), value, intent(in) :: n          !< length of the vector
        real(dp), value,       intent(in) :: s2         !< its sum of squares, small components as zero
        logical :: is_settled

        ! A test without division, which settles nearly every vector.
        is_settled = s2 > typical .and. s2 < never_large**2 .and. 1 + (rdwarf / typical) * (2 * rdwarf * n) == 1
        if (.not. (is_settled .or. s2 < rdwarf .or. s2 >= (rgiant / n)**2)) &
            is_settled = .not. 1 + (rdwarf / s2) * (rdwarf * n) > 1
    end function is_settled

    !> Whether a component is neither small nor large, for any length of the vector; true for NaN.
    pure function is_other(x)
        real(dp), value, intent(in) :: x
        logical :: is_other

        is_other = .not. (abs(x) <= rdwarf .or. abs(x) >= never_large)
    end function is_other

    !> Whether a component of a vector of length n is not large; false for NaN.
    pure function is_not_large(n, xabs)
        integer(c_int), value, intent(in) :: n
        real(dp), value,       intent(in) :: xabs
        logical :: is_not_large

        is_not_large = xabs < never_large
        if (is_not_large .or. xabs >= rgiant) return
        is_not_large = xabs < rgiant / n
    end function is_not_large

    !> The norm, each component added to the sum of its kind.
    pure function norm_by_kinds(n, x) result(norm)
        integer(c_int), value, intent(in) :: n
        real(dp),              intent(in) :: x(n)
        real(dp) :: norm
        type(norm_sums) :: sums
        integer(c_int) :: first

        sums%n = n
        if (n <= 2 * norm_block) then
            call add_components(n, x, sums)
        else
            do first = 1, n, norm_block
                call add_block(min(norm_block, n - first + 1), x(first:n), sums)
            end do
        end if
        norm = norm_value(sums)
    end function norm_by_kinds

    !> Add a block of components.
    !>
    !> New maxima are rare, and most blocks contain one kind or two: then each sum is a plain sum of (scaled) squares. A
    !> NaN may enter any of the sums.
    pure subroutine add_block(n, x, sums)
        integer(c_int), value, intent(in)    :: n         !< at most norm_block
        real(dp),              intent(in)    :: x(n)
        type(norm_sums),       intent(inout) :: sums
        real(dp) :: largest, small, y(norm_block)
        integer(c_int) :: i

        largest = 0
        !$omp simd reduction(max: largest)
        do i = 1, n
            largest = merge(abs(x(i)), largest, abs(x(i)) > largest)
        end do
        if (largest == 0) then
            if (all_at_least(n, x, 0.0_dp)) return      ! otherwise there is a NaN
        else if (largest <= rdwarf) then
            if (largest <= sums%x3max) then
                sums%s3 = scaled_sum(n, x, sums%x3max, sums%s3)
                return
            end if
        else if (is_not_large(sums%n, largest)) then
            small = 0
            !$omp simd reduction(max: small)
            do i = 1, n
                y(i) = merge(x(i), 0.0_dp, abs(x(i)) <= rdwarf)
                small = merge(abs(y(i)), small, abs(y(i)) > small)
            end do
            if (small <= sums%x3max) then
                sums%s2 = s2_with(n, x, sums%s2)
                if (small > 0) sums%s3 = scaled_sum(n, y, sums%x3max, sums%s3)
                return
            end if
        else if (largest <= sums%x1max) then
            if (all_at_least(n, x, rgiant / sums%n)) then
                sums%s1 = scaled_sum(n, x, sums%x1max, sums%s1)
                return
            end if
        end if
        call add_components(n, x, sums)
    end subroutine add_block

    !> Whether all components have at least this magnitude; false if any is NaN.
    pure function all_at_least(n, x, magnitude)
        integer(c_int), value, intent(in) :: n
        real(dp),              intent(in) :: x(n)
        real(dp), value,       intent(in) :: magnitude
        logical :: all_at_least
        real(dp) :: less, y
        integer(c_int) :: i

        less = 0
        !$omp simd reduction(max: less) private(y)
        do i = 1, n
            y = merge(0.0_dp, 1.0_dp, abs(x(i)) >= magnitude)
            less = merge(y, less, y > less)
        end do
        all_at_least = less == 0
    end function all_at_least

    !> s + the squares of x / xmax, in increasing i.
    !>
    !> Bits: each quotient |x| / xmax is rounded before it is squared. Apart from the sum, the quotients vectorise.
    pure function scaled_sum(n, x, xmax, s) result(total)
        integer(c_int), value, intent(in) :: n           !< at most norm_block
        real(dp),              intent(in) :: x(n)
        real(dp), value,       intent(in) :: xmax, s
        real(dp) :: total
        real(dp) :: square(norm_block)
        integer(c_int) :: i

        do i = 1, n
            square(i) = (abs(x(i)) / xmax)**2
        end do
        total = s
        do i = 1, n
            total = total + square(i)
        end do
    end function scaled_sum

    !> Add components one by one.
    !>
    !> Bits: a new maximum scales the sum by the square of a quotient; the first maximum does not, unless it is NaN.
    pure subroutine add_components(n, x, sums)
        integer(c_int), value, intent(in)    :: n
        real(dp),              intent(in)    :: x(n)
        type(norm_sums),       intent(inout) :: sums
        type(norm_sums) :: s        ! stays in registers, unlike sums
        real(dp) :: xabs
        integer(c_int) :: i

        s = sums
        do i = 1, n
            xabs = abs(x(i))
            if (xabs <= rdwarf) then
                if (xabs > s%x3max) then
                    if (s%s3 /= 0) s%s3 = s%s3 * (s%x3max / xabs)**2
                    s%s3 = 1 + s%s3
                    s%x3max = xabs
                else if (xabs /= 0) then
                    s%s3 = s%s3 + (xabs / s%x3max)**2
                end if
            else if (is_not_large(s%n, xabs)) then
                s%s2 = s%s2 + xabs**2
            else if (xabs <= s%x1max) then
                s%s1 = s%s1 + (xabs / s%x1max)**2
            else
                if (s%s1 /= 0 .or. xabs /= xabs) s%s1 = s%s1 * (s%x1max / xabs)**2
                s%s1 = 1 + s%s1
                s%x1max = xabs
            end if
        end do
        sums = s
    end subroutine add_components

    !> The norm from its sums.
    !>
    !> Bits: if s1 /= 0, (s2 / x1max) / x1max is added to it unless s2 is zero; otherwise the order of the factors
    !> depends on whether s2 or x3max is larger.
    pure function norm_value(sums) result(norm)
        type(norm_sums), intent(in) :: sums
        real(dp) :: norm

        associate (s1 => sums%s1, s2 => sums%s2, s3 => sums%s3, x1max => sums%x1max, x3max => sums%x3max)
            if (s3 /= s3) then
                norm = s3
            else if (s1 /= 0) then
                norm = s1
                if (s2 /= 0) norm = s1 + (s2 / x1max) / x1max
                norm = x1max * sqrt(norm)
            else if (s2 == 0) then
                norm = 0
                if (s3 /= 0) norm = x3max * sqrt(s3)
            else if (s2 >= x3max) then
                norm = sqrt(s2 * (1 + (x3max / s2) * (x3max * s3)))
            else
                norm = sqrt(x3max * ((s2 / x3max) + (x3max * s3)))
            end if
        end associate
    end function norm_value

end module enorm_module
