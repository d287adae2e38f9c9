!> The Levenberg-Marquardt iteration by reverse communication.
!>
!> `lm_start` checks the input; then each `lm_advance` says in `request` what it wants before the next one:
!>
!>     want_fvec    residuals at x into fvec (once, first)
!>     want_fjac    the Jacobian at x into fjac
!>     want_trial   residuals at the trial point wa2 into wa4
!>     done         nothing more: info tells why
!>
!> The caller owns every array and counts the calls in nfev and njev; no array may change between calls but as asked.
!>
!> Source: Moré, The Levenberg-Marquardt algorithm: implementation and theory, 1978;
!>         Moré, Garbow, Hillstrom, User guide for MINPACK-1, ANL-80-74, sections on LMDER and LMDIF.
module lm_module
    use, intrinsic :: iso_c_binding, only: c_int
    use machine_module, only: dp, epsmch, larger, smaller
    use checks_module, only: checking, check_sizes, check_lm, check_trial
    use enorm_module, only: enorm
    use qrfac_module, only: qrfac_qtf, qrfac_lwork
    use multiply_rt_module, only: multiply_rt
    use qrsolv_module, only: rows_at_once
    use lmpar_module, only: lmpar
    implicit none
    private
    public :: lm_state, lm_lwork, lm_start, lm_advance, want_fvec, want_fjac, want_trial, done

    integer, parameter :: want_fvec = 1, want_fjac = 2, want_trial = 3, done = 4

    real(dp), parameter :: accept = 1.0e-4_dp   !< ratio from which a step is taken
    integer, parameter :: user_scaling = 2      !< mode in which diag is the user's and stays as it is

    type :: lm_state
        integer        :: request              !< what is wanted next
        integer(c_int) :: info = 0             !< MINPACK's reason to stop; 0: improper input
        integer(c_int) :: nfev = 0             !< calls for residuals so far, counted by the caller
        integer(c_int) :: njev = 0             !< calls for a Jacobian so far, counted by the caller
        integer(c_int) :: m, n                 !< number of residuals and of variables
        integer(c_int) :: maxfev               !< nfev that ends the iteration
        integer(c_int) :: mode                 !< 2: diag is given; else from the Jacobian's columns
        real(dp)       :: ftol, xtol, gtol     !< tolerances of the convergence tests
        real(dp)       :: factor               !< first bound on the step, relative to ||D x||
        integer        :: iter = 1             !< 1 until a step has been taken
        real(dp)       :: fnorm                !< norm of fvec
        real(dp)       :: gnorm                !< largest cosine between fvec and a column of the Jacobian
        real(dp)       :: xnorm                !< ||D x||
        real(dp)       :: pnorm                !< ||D p||, p the step
        real(dp)       :: delta = 0            !< bound on ||D p||
        real(dp)       :: par = 0              !< Levenberg-Marquardt parameter
    end type lm_state

contains

    !> Length of the work array.
    pure function lm_lwork(m, n) result(lwork) bind(C, name="minpack_lwork")
        integer(c_int), value, intent(in) :: m, n
        integer(c_int) :: lwork

        lwork = max(qrfac_lwork(m, n), rows_at_once * n)
    end function lm_lwork

    !> A fresh state; done with info 0 if the input is improper.
    pure function lm_start(m, n, ldfjac, ftol, xtol, gtol, maxfev, diag, mode, factor) result(lm)
        integer(c_int), intent(in) :: m, n, ldfjac, maxfev, mode
        real(dp),       intent(in) :: ftol, xtol, gtol, factor
        real(dp),       intent(in) :: diag(n)   !< read in mode 2 only
        type(lm_state) :: lm

        lm%m = m
        lm%n = n
        lm%maxfev = maxfev
        lm%mode = mode
        lm%ftol = ftol
        lm%xtol = xtol
        lm%gtol = gtol
        lm%factor = factor
        lm%request = want_fvec
        if (n <= 0 .or. m < n .or. ldfjac < m .or. maxfev <= 0) lm%request = done
        if (ftol < 0 .or. xtol < 0 .or. gtol < 0 .or. factor <= 0) lm%request = done
        if (mode == user_scaling) then
            if (any(diag <= 0)) lm%request = done
        end if
    end function lm_start

    !> Go on with what was asked for, as far as the next request.
    pure subroutine lm_advance(lm, m, n, x, fvec, fjac, ldfjac, diag, ipvt, qtf, wa1, wa2, wa3, wa4, work, lwork)
        type(lm_state), intent(inout) :: lm
        integer(c_int), intent(in)    :: m, n, ldfjac, lwork
        real(dp),       intent(inout) :: x(n)              !< best point so far
        real(dp),       intent(inout) :: fvec(m)           !< residuals at x
        real(dp),       intent(inout) :: fjac(ldfjac, n)   !< Jacobian, then its R and reflectors
        real(dp),       intent(inout) :: diag(n)           !< diagonal of the scaling D
        integer(c_int), intent(inout) :: ipvt(n)           !< pivots of the factorisation
        real(dp),       intent(inout) :: qtf(n)            !< first n entries of Q'fvec
        real(dp),       intent(inout) :: wa1(n)            !< step
        real(dp),       intent(inout) :: wa2(n)            !< trial point
        real(dp),       intent(inout) :: wa3(n)            !< work
        real(dp),       intent(inout) :: wa4(m)            !< residuals at the trial point; else work
        real(dp),       intent(inout) :: work(lwork)       !< lwork at least lm_lwork(m, n)

        if (checking) call check_sizes(m, n, ldfjac, lwork, lm_lwork(m, n))
        select case (lm%request)
        case (want_fvec)
            lm%fnorm = enorm(m, fvec)
            lm%request = want_fjac
        case (want_fjac)
            call after_jacobian(lm, m, n, x, fvec, fjac, ldfjac, diag, ipvt, qtf, wa1, wa2, wa3, wa4, work, lwork)
            if (lm%request /= done) &
                call propose_step(lm, m, n, x, fjac, ldfjac, diag, ipvt, qtf, wa1, wa2, wa3, wa4, work)
        case (want_trial)
            call after_trial(lm, m, n, x, fvec, fjac, ldfjac, diag, ipvt, wa1, wa2, wa3, wa4)
            if (lm%request == want_trial) &
                call propose_step(lm, m, n, x, fjac, ldfjac, diag, ipvt, qtf, wa1, wa2, wa3, wa4, work)
        end select
        if (checking) then
            call check_lm(lm%request, done, merge(1_c_int, 0_c_int, lm%request == done), lm%info, enorm(m, fvec), &
                          lm%fnorm, lm%delta, lm%par)
            if (lm%request == want_trial) call check_trial(n, x, diag, ipvt, wa1, wa2)
        end if
    end subroutine lm_advance

    !> Factorise the Jacobian, set up the scaling, and stop where the gradient is zero to gtol.
    pure subroutine after_jacobian(lm, m, n, x, fvec, fjac, ldfjac, diag, ipvt, qtf, wa1, wa2, wa3, wa4, work, lwork)
        type(lm_state), intent(inout) :: lm
        integer(c_int), intent(in)    :: m, n, ldfjac, lwork
        real(dp),       intent(in)    :: x(n), fvec(m)
        real(dp),       intent(inout) :: fjac(ldfjac, n), diag(n), qtf(n)
        integer(c_int), intent(inout) :: ipvt(n)
        real(dp),       intent(inout) :: wa1(n), wa2(n), wa3(n), wa4(m), work(lwork)
        integer(c_int) :: j

        ! All of Q'f: a func that answers without writing leaves wa4 to be read as residuals.
        wa4 = fvec
        call qrfac_qtf(m, n, fjac, ldfjac, ipvt, wa1, wa2, wa3, work, lwork, wa4)
        do j = 1, n
            fjac(j, j) = wa1(j)
            qtf(j) = wa4(j)
        end do
        if (lm%iter == 1) then
            if (lm%mode /= user_scaling) diag = merge(1.0_dp, wa2, wa2 == 0)
            wa3 = diag * x
            lm%xnorm = enorm(n, wa3)
            lm%delta = lm%factor * lm%xnorm
            if (lm%delta == 0) lm%delta = lm%factor
        end if

        call gradient_cosine(n, fjac, ldfjac, ipvt, wa2, qtf, lm%fnorm, wa3, work, lm%gnorm)
        if (lm%gnorm <= lm%gtol) then
            lm%info = 4
            lm%request = done
            return
        end if
        if (lm%mode /= user_scaling) diag = larger(diag, wa2)
    end subroutine after_jacobian

    !> The largest cosine, in absolute value, between the residuals and a column of the Jacobian.
    !>
    !> Bits: Q'f is divided by fnorm before the sum; zero columns do not count.
    pure subroutine gradient_cosine(n, r, ldr, ipvt, acnorm, qtf, fnorm, wa, work, gnorm)
        integer(c_int), intent(in)    :: n, ldr
        real(dp),       intent(in)    :: r(ldr, n)    !< R
        integer(c_int), intent(in)    :: ipvt(n)
        real(dp),       intent(in)    :: acnorm(n)    !< norms of the Jacobian's columns
        real(dp),       intent(in)    :: qtf(n)
        real(dp),       intent(in)    :: fnorm        !< norm of the residuals
        real(dp),       intent(inout) :: wa(n)        !< work: Q'f / fnorm
        real(dp),       intent(inout) :: work(n)      !< work: its dot products with R's columns
        real(dp),       intent(out)   :: gnorm
        integer(c_int) :: j

        gnorm = 0
        if (fnorm == 0) return
        wa = qtf / fnorm
        call multiply_rt(n, r, ldr, wa, work)
        do j = 1, n
            if (acnorm(ipvt(j)) /= 0) gnorm = larger(gnorm, abs(work(j) / acnorm(ipvt(j))))
        end do
    end subroutine gradient_cosine

    !> The step p for the present delta, in wa1, and the trial point x + p, in wa2.
    pure subroutine propose_step(lm, m, n, x, fjac, ldfjac, diag, ipvt, qtf, wa1, wa2, wa3, wa4, work)
        type(lm_state), intent(inout) :: lm
        integer(c_int), intent(in)    :: m, n, ldfjac
        real(dp),       intent(in)    :: x(n), diag(n), qtf(n)
        real(dp),       intent(inout) :: fjac(ldfjac, n)
        integer(c_int), intent(in)    :: ipvt(n)
        real(dp),       intent(inout) :: wa1(n), wa2(n), wa3(n), wa4(m), work(rows_at_once * n)

        call lmpar(n, fjac, ldfjac, ipvt, diag, qtf, lm%delta, lm%par, wa1, wa2, wa3, wa4, work)
        wa1 = -wa1
        wa2 = x + wa1
        wa3 = diag * wa1
        lm%pnorm = enorm(n, wa3)
        if (lm%iter == 1) lm%delta = smaller(lm%delta, lm%pnorm)
        lm%request = want_trial
    end subroutine propose_step

    !> Compare the actual with the predicted reduction, move delta, take the step or not, and test for the end.
    !>
    !> Bits: quotients by fnorm come before the squares.
    pure subroutine after_trial(lm, m, n, x, fvec, fjac, ldfjac, diag, ipvt, wa1, wa2, wa3, wa4)
        type(lm_state), intent(inout) :: lm
        integer(c_int), intent(in)    :: m, n, ldfjac
        real(dp),       intent(inout) :: x(n), fvec(m)
        real(dp),       intent(in)    :: fjac(ldfjac, n), diag(n), wa1(n), wa4(m)
        integer(c_int), intent(in)    :: ipvt(n)
        real(dp),       intent(inout) :: wa2(n), wa3(n)
        real(dp) :: actred, dirder, fnorm1, prered, ratio, temp1, temp2

        fnorm1 = enorm(m, wa4)
        actred = -1
        if (0.1_dp * fnorm1 < lm%fnorm) actred = 1 - (fnorm1 / lm%fnorm)**2

        call multiply_by_r(n, fjac, ldfjac, ipvt, wa1, wa3)
        temp1 = enorm(n, wa3) / lm%fnorm
        temp2 = (sqrt(lm%par) * lm%pnorm) / lm%fnorm
        prered = temp1**2 + temp2**2 / 0.5_dp
        dirder = -(temp1**2 + temp2**2)
        ratio = 0
        if (prered /= 0) ratio = actred / prered

        call move_bound(lm, fnorm1, actred, dirder, ratio)

        ! A NaN ratio takes the step, as in the original.
        if (.not. ratio < accept) then
            x = wa2
            wa2 = diag * x
            fvec = wa4
            lm%xnorm = enorm(n, wa2)
            lm%fnorm = fnorm1
            lm%iter = lm%iter + 1
        end if

        lm%info = reason_to_stop(lm, actred, prered, ratio)
        if (lm%info /= 0) then
            lm%request = done
        else if (ratio < accept) then
            lm%request = want_trial
        else
            lm%request = want_fjac
        end if
    end subroutine after_trial

    !> y <- R P'p.
    !>
    !> Bits: column by column.
    pure subroutine multiply_by_r(n, r, ldr, ipvt, p, y)
        integer(c_int), intent(in)    :: n, ldr
        real(dp),       intent(in)    :: r(ldr, n)
        integer(c_int), intent(in)    :: ipvt(n)
        real(dp),       intent(in)    :: p(n)
        real(dp),       intent(inout) :: y(n)
        integer(c_int) :: i, j

        do j = 1, n
            y(j) = 0
            do i = 1, j
                y(i) = y(i) + r(i, j) * p(ipvt(j))
            end do
        end do
    end subroutine multiply_by_r

    !> Shrink or widen delta, and par against it, by the ratio of actual to predicted reduction.
    !>
    !> Bits: a NaN ratio shrinks. actred itself is never NaN, since a NaN norm fails the test before its quotient;
    !> a NaN dirder makes the factor NaN, unless the residuals grew tenfold.
    pure subroutine move_bound(lm, fnorm1, actred, dirder, ratio)
        type(lm_state), intent(inout) :: lm
        real(dp),       intent(in)    :: fnorm1   !< norm of the residuals at the trial point
        real(dp),       intent(in)    :: actred   !< actual relative reduction
        real(dp),       intent(in)    :: dirder   !< scaled directional derivative
        real(dp),       intent(in)    :: ratio    !< actual over predicted reduction
        real(dp) :: shrink

        if (.not. ratio > 0.25_dp) then
            shrink = 0.5_dp
            if (actred < 0) shrink = 0.5_dp * dirder / (dirder + 0.5_dp * actred)
            if (0.1_dp * fnorm1 >= lm%fnorm .or. shrink < 0.1_dp) shrink = 0.1_dp
            lm%delta = shrink * smaller(lm%delta, lm%pnorm / 0.1_dp)
            lm%par = lm%par / shrink
        else if (lm%par == 0 .or. .not. ratio < 0.75_dp) then
            lm%delta = lm%pnorm / 0.5_dp
            lm%par = 0.5_dp * lm%par
        end if
    end subroutine move_bound

    !> MINPACK's info after a trial; 0: go on.
    pure function reason_to_stop(lm, actred, prered, ratio) result(info)
        type(lm_state), intent(in) :: lm
        real(dp),       intent(in) :: actred, prered, ratio
        integer(c_int) :: info
        logical :: small_reduction

        info = 0
        small_reduction = abs(actred) <= lm%ftol .and. prered <= lm%ftol .and. 0.5_dp * ratio <= 1
        if (small_reduction) info = 1
        if (lm%delta <= lm%xtol * lm%xnorm) info = 2
        if (small_reduction .and. info == 2) info = 3
        if (info /= 0) return

        if (lm%nfev >= lm%maxfev) info = 5
        if (abs(actred) <= epsmch .and. prered <= epsmch .and. 0.5_dp * ratio <= 1) info = 6
        if (lm%delta <= epsmch * lm%xnorm) info = 7
        if (lm%gnorm <= epsmch) info = 8
    end function reason_to_stop

end module lm_module
