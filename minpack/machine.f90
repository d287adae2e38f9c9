!> Machine constants of MINPACK for IEEE double precision, and its maximum and minimum.
!>
!> Source: Moré, Garbow, Hillstrom, User guide for MINPACK-1, ANL-80-74, section on DPMPAR.
!> Bits: the constants have twelve digits as MINPACK ships them; epsmch is not 2**-52, and every difference step
!> depends on it. Fortran leaves MAX and MIN of a NaN to the compiler; `larger` and `smaller` define them.
module machine_module
    use, intrinsic :: iso_c_binding, only: c_double
    implicit none
    private
    public :: dp, epsmch, dwarf, larger, smaller

    integer, parameter :: dp = c_double
    real(dp), parameter :: epsmch = 2.22044604926e-16_dp    !< relative precision, DPMPAR(1)
    real(dp), parameter :: dwarf  = 2.22507385852e-308_dp   !< smallest magnitude, DPMPAR(2)

contains

    !> The larger of a and b; the other one if one is NaN; a if they are equal (a zero keeps the sign of a).
    elemental function larger(a, b) result(c)
        real(dp), intent(in) :: a, b
        real(dp) :: c

        c = a
        if (b > a .or. a /= a) c = b
    end function larger

    !> The smaller of a and b, with the rules of `larger`.
    elemental function smaller(a, b) result(c)
        real(dp), intent(in) :: a, b
        real(dp) :: c

        c = a
        if (b < a .or. a /= a) c = b
    end function smaller

end module machine_module
