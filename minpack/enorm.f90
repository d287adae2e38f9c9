!> The Euclidean norm.
module enorm_module
    use, intrinsic :: iso_c_binding, only: c_int
    use machine_module, only: dp
    implicit none
    private
    public :: enorm

    real(dp), parameter :: rdwarf = 3.834e-20_dp   !< its square does not underflow
    real(dp), parameter :: rgiant = 1.304e19_dp    !< n squares of rgiant/n do not overflow

contains

    !> Euclidean norm of x, safe from overflow and underflow.
    !>
    !> Source: Moré, Garbow, Hillstrom, User guide for MINPACK-1, ANL-80-74, section on ENORM.
    !> Bits: three sums in increasing i, of the large (s1) and small (s3) components scaled by the largest of their
    !> kind so far and of the others as they are (s2). A NaN counts as large and makes the norm NaN.
    pure function enorm(n, x) result(norm) bind(C, name="minpack_enorm")
        integer(c_int), value, intent(in) :: n      !< length of x, n >= 0
        real(dp),              intent(in) :: x(n)   !< vector
        real(dp) :: norm
        real(dp) :: agiant, s1, s2, s3, x1max, x3max, xabs
        integer(c_int) :: i

        s1 = 0
        s2 = 0
        s3 = 0
        x1max = 0
        x3max = 0
        agiant = rgiant / n
        do i = 1, n
            xabs = abs(x(i))
            if (xabs > rdwarf .and. xabs < agiant) then
                s2 = s2 + xabs**2
            else if (xabs <= rdwarf) then
                if (xabs > x3max) then
                    s3 = 1 + s3 * (x3max / xabs)**2
                    x3max = xabs
                else if (xabs /= 0) then
                    s3 = s3 + (xabs / x3max)**2
                end if
            else
                if (xabs <= x1max) then
                    s1 = s1 + (xabs / x1max)**2
                else
                    s1 = 1 + s1 * (x1max / xabs)**2
                    x1max = xabs
                end if
            end if
        end do

        if (s1 /= 0) then
            norm = x1max * sqrt(s1 + (s2 / x1max) / x1max)
        else if (s2 == 0) then
            norm = x3max * sqrt(s3)
        else if (s2 >= x3max) then
            norm = sqrt(s2 * (1 + (x3max / s2) * (x3max * s3)))
        else
            norm = sqrt(x3max * ((s2 / x3max) + (x3max * s3)))
        end if
    end function enorm

end module enorm_module
