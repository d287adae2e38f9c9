!> Levenberg-Marquardt with a forward-difference Jacobian.
module lmdif_module
    use, intrinsic :: iso_c_binding, only: c_int, c_ptr
    use machine_module, only: dp
    use callbacks_module, only: residuals_t
    use fdjac2_module, only: fdjac2
    use lm_module, only: lm_state, lm_start, lm_advance, want_fvec, want_fjac, want_trial, done
    implicit none
    private
    public :: lmdif

contains

    !> Minimise the sum of squares of m residuals of n variables, derivatives by differences.
    !>
    !> Recursive, since residuals may start a solve of their own.
    !>
    !> Source: Moré, Garbow, Hillstrom, User guide for MINPACK-1, ANL-80-74, section on LMDIF.
    recursive subroutine lmdif(residuals, context, m, n, x, fvec, ftol, xtol, gtol, maxfev, epsfcn, diag, mode, &
            factor, info, nfev, fjac, ldfjac, ipvt, qtf, wa1, wa2, wa3, wa4, work, &
            lwork) bind(C, name="minpack_lmdif")
        procedure(residuals_t)               :: residuals         !< called with context; negative answer: stop
        type(c_ptr),    value                :: context           !< handed to residuals
        integer(c_int), value, intent(in)    :: m                 !< number of residuals, m >= n
        integer(c_int), value, intent(in)    :: n                 !< number of variables, n >= 1
        integer(c_int), value, intent(in)    :: maxfev            !< residual calls that end the iteration, > 0
        integer(c_int), value, intent(in)    :: mode              !< 2: diag is given; else found
        integer(c_int), value, intent(in)    :: ldfjac            !< leading dimension of fjac, ldfjac >= m
        integer(c_int), value, intent(in)    :: lwork             !< length of work, at least lm_lwork(m, n)
        real(dp), value,       intent(in)    :: ftol, xtol, gtol  !< tolerances, >= 0
        real(dp), value,       intent(in)    :: epsfcn            !< relative error of the residuals
        real(dp), value,       intent(in)    :: factor            !< first bound on the step, > 0
        real(dp),              intent(inout) :: x(n)              !< in: start; out: solution
        real(dp),              intent(inout) :: fvec(m)           !< residuals at x
        real(dp),              intent(inout) :: diag(n)           !< scaling, positive; in for mode 2, else out
        real(dp),              intent(inout) :: fjac(ldfjac, n)   !< R in the upper triangle, reflectors below
        integer(c_int),        intent(inout) :: ipvt(n)           !< column j of A P is column ipvt(j) of A
        real(dp),              intent(inout) :: qtf(n)            !< first n entries of Q'fvec
        real(dp),              intent(inout) :: wa1(n), wa2(n), wa3(n), wa4(m)
        real(dp),              intent(inout) :: work(lwork)
        integer(c_int),        intent(out)   :: info              !< reason to stop; negative: residuals' own
        integer(c_int),        intent(out)   :: nfev              !< calls of residuals
        type(lm_state) :: lm
        integer(c_int) :: iflag

        lm = lm_start(m, n, ldfjac, ftol, xtol, gtol, maxfev, diag, mode, factor)
        do while (lm%request /= done)
            select case (lm%request)
            case (want_fvec)
                iflag = residuals(context, m, n, x, fvec, 1_c_int)
                lm%nfev = 1
            case (want_fjac)
                call fdjac2(residuals, context, m, n, x, fvec, fjac, ldfjac, iflag, epsfcn, wa4)
                lm%nfev = lm%nfev + n
            case (want_trial)
                iflag = residuals(context, m, n, wa2, wa4, 1_c_int)
                lm%nfev = lm%nfev + 1
            end select
            if (iflag < 0) then
                lm%info = iflag
                exit
            end if
            call lm_advance(lm, m, n, x, fvec, fjac, ldfjac, diag, ipvt, qtf, wa1, wa2, wa3, wa4, work, lwork)
        end do
        info = lm%info
        nfev = lm%nfev
    end subroutine lmdif

end module lmdif_module
