!> Check a Jacobian against function values.
module chkder_module
    use, intrinsic :: iso_c_binding, only: c_int
    use machine_module, only: dp, epsmch
    implicit none
    private
    public :: chkder

contains

    !> Mode 1: xp <- a neighbour of x. Mode 2: err(i) <- 1 if row i of fjac agrees with the change of the residuals
    !> from x to xp, 0 if not, a value in between if in doubt.
    !>
    !> Source: Moré, Garbow, Hillstrom, User guide for MINPACK-1, ANL-80-74, section on CHKDER.
    !> Bits: the directional derivative adds column by column.
    pure subroutine chkder(m, n, x, fvec, fjac, ldfjac, xp, fvecp, mode, err) bind(C, name="minpack_chkder")
        integer(c_int), value, intent(in)    :: m                 !< number of functions
        integer(c_int), value, intent(in)    :: n                 !< number of variables
        integer(c_int), value, intent(in)    :: ldfjac            !< leading dimension of fjac, ldfjac >= m
        integer(c_int), value, intent(in)    :: mode              !< 2: check; anything else: make xp
        real(dp),              intent(in)    :: x(n)              !< point
        real(dp),              intent(in)    :: fvec(m)           !< functions at x (mode 2)
        real(dp),              intent(in)    :: fjac(ldfjac, n)   !< Jacobian at x (mode 2)
        real(dp),              intent(inout) :: xp(n)             !< neighbour of x (out in mode 1)
        real(dp),              intent(in)    :: fvecp(m)          !< functions at xp (mode 2)
        real(dp),              intent(inout) :: err(m)            !< measure of agreement (out in mode 2)
        real(dp) :: eps, temp
        integer(c_int) :: j

        eps = sqrt(epsmch)
        if (mode /= 2) then
            do j = 1, n
                temp = eps * abs(x(j))
                if (temp == 0) temp = eps
                xp(j) = x(j) + temp
            end do
        else
            err = 0
            do j = 1, n
                temp = abs(x(j))
                if (temp == 0) temp = 1
                err = err + temp * fjac(1:m, j)
            end do
            err = agreement(eps, fvec, fvecp, err)
        end if
    end subroutine chkder

    !> Agreement of the predicted with the actual relative change of one function, 0 to 1 on a logarithmic scale.
    !>
    !> Bits: divide the difference by eps, subtract predicted, multiply by eps, then divide once.
    elemental function agreement(eps, f, fp, predicted) result(err)
        real(dp), intent(in) :: eps         !< relative step
        real(dp), intent(in) :: f           !< function at x
        real(dp), intent(in) :: fp          !< function at xp
        real(dp), intent(in) :: predicted   !< derivative along the step
        real(dp) :: err
        real(dp) :: epslog, temp

        epslog = log10(eps)
        temp = 1
        if (f /= 0 .and. fp /= 0 .and. abs(fp - f) >= 100 * epsmch * abs(f)) &
            temp = eps * abs((fp - f) / eps - predicted) / (abs(f) + abs(fp))
        err = 1
        if (temp > epsmch .and. temp < eps) err = (log10(temp) - epslog) / epslog
        if (temp >= eps) err = 0
    end function agreement

end module chkder_module
