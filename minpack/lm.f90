!> The Levenberg-Marquardt iteration by reverse communication.
!>
!> `lm_start` checks the input; then each `lm_advance` sets `request` to what it needs before the next one:
!>
!>     want_fvec    residuals at x into fvec (once, first)
!>     want_fjac    the Jacobian at x into fjac
!>     go_on        nothing; the caller may inspect the state before the next step is computed
!>     want_trial   residuals at the trial point wa2 into wa4
!>     done         nothing more; info says why
!>
!> The caller owns the arrays, changes them only as requested, and counts the calls in nfev and njev. The work after a
!> Jacobian is split into `factorise` and `after_factorisation`, so that another factorisation can feed the second.
!>
!> Source: Moré, The Levenberg-Marquardt algorithm: implementation and theory, 1978;
!>         Moré, Garbow, Hillstrom, User guide for MINPACK-1, ANL-80-74, sections on LMDER and LMDIF.
module lm_module
    use, intrinsic :: iso_c_binding, only: c_int, c_ptr, c_associated, c_f_pointer
    use machine_module, only: dp, epsmch, larger, smaller
    use checks_module, only: checking, check_sizes, check_lm, check_trial
    use fdjac2_module, only: size_of
    use dispatched_module, only: enorm, qrfac_qtf, lwork
    use multiply_rt_module, only: multiply_rt
    use lmpar_module, only: lmpar
    implicit none
    private
    public :: lm_state, lm_arrays, arrays_of, lm_start, lm_advance, factorise, after_factorisation, want_fvec, want_fjac, &
        go_on, want_trial, done, known_fvec, known_fjac, known_trial

    integer(c_int), parameter :: want_fvec = 1, want_fjac = 2, go_on = 3, want_trial = 4, done = 5
    integer(c_int), parameter :: known_fvec = 1, known_fjac = 2, known_trial = 3

    real(dp), parameter :: accept = 1.0e-4_dp   !< least ratio at which a step is accepted
    integer, parameter :: user_scaling = 2      !< mode in which diag is the user's and is not updated

    !> State of a fit: MinpackState of minpack.h.
    type, bind(C) :: lm_state
        integer(c_int) :: m, n, ldfjac         !< number of residuals, of variables; leading dimension of fjac
        integer(c_int) :: maxfev               !< nfev at which the iteration ends
        integer(c_int) :: mode                 !< 2: diag is given; else from the Jacobian's columns
        integer(c_int) :: lenwork              !< length of work, at least lwork(m, n)
        real(dp)       :: ftol, xtol, gtol     !< tolerances of the convergence tests
        real(dp)       :: factor               !< first delta, relative to ||D x|| with |x| at least typical_x
        real(dp)       :: epsfcn               !< relative error of the residuals, for differences
        type(c_ptr)    :: typical_x            !< (n) least |x| in difference steps and first delta; null: as in MINPACK
        type(c_ptr)    :: x                    !< (n) best point so far
        type(c_ptr)    :: fvec                 !< (m) residuals at x
        type(c_ptr)    :: fjac                 !< (ldfjac, n) Jacobian, then its R and reflectors
        type(c_ptr)    :: diag                 !< (n) diagonal of the scaling D
        type(c_ptr)    :: ipvt                 !< (n) pivots of the factorisation, int
        type(c_ptr)    :: qtf                  !< (n) first entries of Q'fvec
        type(c_ptr)    :: wa1                  !< (n) step
        type(c_ptr)    :: wa2                  !< (n) trial point, until the next Jacobian or step
        type(c_ptr)    :: wa3                  !< (n) work
        type(c_ptr)    :: wa4                  !< (m) residuals at the trial point; else work
        type(c_ptr)    :: work                 !< (lenwork)
        integer(c_int) :: request              !< what is wanted next
        integer(c_int) :: known                !< what has been supplied so far; 0: nothing
        integer(c_int) :: info                 !< MINPACK's reason to stop; 0: improper input
        integer(c_int) :: nfev                 !< calls for residuals so far, counted by the caller
        integer(c_int) :: njev                 !< calls for a Jacobian so far, counted by the caller
        integer(c_int) :: iter                 !< 1 plus the number of accepted steps
        integer(c_int) :: accepted             !< 1 if the last trial was accepted
        real(dp)       :: fnorm                !< norm of fvec
        real(dp)       :: gnorm                !< largest cosine between fvec and a column of the Jacobian
        real(dp)       :: xnorm                !< ||D x||
        real(dp)       :: pnorm                !< ||D p||, p the step
        real(dp)       :: delta                !< bound on ||D p||
        real(dp)       :: par                  !< Levenberg-Marquardt parameter
        real(dp)       :: fnorm1               !< norm of the residuals at the last trial point
        real(dp)       :: ratio                !< actual over predicted reduction of the last trial
    end type lm_state

    !> The arrays of an lm_state as Fortran pointers.
    type :: lm_arrays
        real(dp), pointer, contiguous :: x(:), fvec(:), fjac(:, :), diag(:), qtf(:), wa1(:), wa2(:), wa3(:), wa4(:), &
            work(:)
        real(dp), pointer, contiguous :: typical_x(:)   !< null: none
        integer(c_int), pointer, contiguous :: ipvt(:)
    end type lm_arrays

contains

    !> The arrays of a state.
    function arrays_of(lm) result(a)
        type(lm_state), intent(in) :: lm
        type(lm_arrays) :: a

        call c_f_pointer(lm%x, a%x, [lm%n])
        call c_f_pointer(lm%fvec, a%fvec, [lm%m])
        call c_f_pointer(lm%fjac, a%fjac, [lm%ldfjac, lm%n])
        call c_f_pointer(lm%diag, a%diag, [lm%n])
        call c_f_pointer(lm%ipvt, a%ipvt, [lm%n])
        call c_f_pointer(lm%qtf, a%qtf, [lm%n])
        call c_f_pointer(lm%wa1, a%wa1, [lm%n])
        call c_f_pointer(lm%wa2, a%wa2, [lm%n])
        call c_f_pointer(lm%wa3, a%wa3, [lm%n])
        call c_f_pointer(lm%wa4, a%wa4, [lm%m])
        call c_f_pointer(lm%work, a%work, [lm%lenwork])
        a%typical_x => null()
        if (c_associated(lm%typical_x)) call c_f_pointer(lm%typical_x, a%typical_x, [lm%n])
    end function arrays_of

    !> Make the first request; done with info 0 if the input is improper.
    pure subroutine lm_start(lm, diag)
        type(lm_state), intent(inout) :: lm
        real(dp),       intent(in)    :: diag(:)    !< read in mode 2 only

        lm%known = 0
        lm%info = 0
        lm%nfev = 0
        lm%njev = 0
        lm%iter = 1
        lm%accepted = 0
        lm%fnorm = 0
        lm%gnorm = 0
        lm%xnorm = 0
        lm%pnorm = 0
        lm%delta = 0
        lm%par = 0
        lm%fnorm1 = 0
        lm%ratio = 0
        lm%request = want_fvec
        if (lm%n <= 0 .or. lm%m < lm%n .or. lm%ldfjac < lm%m .or. lm%maxfev <= 0) lm%request = done
        if (lm%ftol < 0 .or. lm%xtol < 0 .or. lm%gtol < 0 .or. lm%factor <= 0) lm%request = done
        if (lm%mode == user_scaling) then
            if (any(diag <= 0)) lm%request = done
        end if
    end subroutine lm_start

    !> Process what was requested and make the next request.
    subroutine lm_advance(lm, a)
        type(lm_state),  intent(inout) :: lm
        type(lm_arrays), intent(in)    :: a         !< those of lm

        if (checking) call check_sizes(lm%m, lm%n, lm%ldfjac, lm%lenwork, lwork(lm%m, lm%n))
        select case (lm%request)
        case (want_fvec)
            lm%fnorm = enorm(lm%m, a%fvec)
            lm%known = known_fvec
            lm%request = want_fjac
        case (want_fjac)
            call factorise(lm, a)
            call after_factorisation(lm, a)
            lm%known = max(lm%known, known_fjac)
        case (go_on)
            call propose_step(lm, a)
        case (want_trial)
            call after_trial(lm, a)
            lm%known = known_trial
        end select
        if (checking) then
            call check_lm(lm%request, done, merge(1_c_int, 0_c_int, lm%request == done), lm%info, enorm(lm%m, a%fvec), &
                          lm%fnorm, lm%delta, lm%par)
            if (lm%request == want_trial) call check_trial(lm%n, a%x, a%diag, a%ipvt, a%wa1, a%wa2)
        end if
    end subroutine lm_advance

    !> Factorise the Jacobian into fjac and ipvt; R's diagonal goes to wa1, J's column norms to wa2, Q'fvec to wa4.
    subroutine factorise(lm, a)
        type(lm_state),  intent(in) :: lm
        type(lm_arrays), intent(in) :: a

        ! All of Q'f: if a func returns without writing, wa4 is read as residuals.
        a%wa4 = a%fvec
        call qrfac_qtf(lm%m, lm%n, a%fjac, lm%ldfjac, a%ipvt, a%wa1, a%wa2, a%wa3, a%work, lm%lenwork, a%wa4)
    end subroutine factorise

    !> Set up the scaling from what factorise left, and stop if the gradient is zero to gtol.
    subroutine after_factorisation(lm, a)
        type(lm_state),  intent(inout) :: lm
        type(lm_arrays), intent(in)    :: a
        integer(c_int) :: j

        do j = 1, lm%n
            a%fjac(j, j) = a%wa1(j)
            a%qtf(j) = a%wa4(j)
        end do
        if (lm%iter == 1) then
            if (lm%mode /= user_scaling) a%diag = merge(1.0_dp, a%wa2, a%wa2 == 0)
            a%wa3 = a%diag * a%x
            lm%xnorm = enorm(lm%n, a%wa3)
            lm%delta = lm%factor * lm%xnorm
            if (associated(a%typical_x)) then
                a%wa3 = a%diag * size_of(a%x, a%typical_x)
                lm%delta = lm%factor * enorm(lm%n, a%wa3)
            end if
            if (lm%delta == 0) lm%delta = lm%factor
        end if

        call gradient_cosine(lm%n, a%fjac, lm%ldfjac, a%ipvt, a%wa2, a%qtf, lm%fnorm, a%wa3, a%work, lm%gnorm)
        if (lm%gnorm <= lm%gtol) then
            lm%info = 4
            lm%request = done
            return
        end if
        if (lm%mode /= user_scaling) a%diag = larger(a%diag, a%wa2)
        lm%request = go_on
    end subroutine after_factorisation

    !> Largest absolute cosine between the residuals and a column of the Jacobian.
    !>
    !> Bits: Q'f is divided by fnorm before the sum; zero columns are skipped.
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

    !> Compute the step p for the current delta into wa1, and the trial point x + p into wa2.
    subroutine propose_step(lm, a)
        type(lm_state),  intent(inout) :: lm
        type(lm_arrays), intent(in)    :: a

        call lmpar(lm%n, a%fjac, lm%ldfjac, a%ipvt, a%diag, a%qtf, lm%delta, lm%par, a%wa1, a%wa2, a%wa3, a%wa4, a%work)
        a%wa1 = -a%wa1
        a%wa2 = a%x + a%wa1
        a%wa3 = a%diag * a%wa1
        lm%pnorm = enorm(lm%n, a%wa3)
        if (lm%iter == 1) lm%delta = smaller(lm%delta, lm%pnorm)
        lm%request = want_trial
    end subroutine propose_step

    !> Compare actual and predicted reduction, update delta, accept or reject the step, and test whether to stop.
    !>
    !> Bits: norms are divided by fnorm before they are squared.
    subroutine after_trial(lm, a)
        type(lm_state),  intent(inout) :: lm
        type(lm_arrays), intent(in)    :: a
        real(dp) :: actred, dirder, prered, temp1, temp2

        lm%fnorm1 = enorm(lm%m, a%wa4)
        actred = -1
        if (0.1_dp * lm%fnorm1 < lm%fnorm) actred = 1 - (lm%fnorm1 / lm%fnorm)**2

        call multiply_by_r(lm%n, a%fjac, lm%ldfjac, a%ipvt, a%wa1, a%wa3)
        temp1 = enorm(lm%n, a%wa3) / lm%fnorm
        temp2 = (sqrt(lm%par) * lm%pnorm) / lm%fnorm
        prered = temp1**2 + temp2**2 / 0.5_dp
        dirder = -(temp1**2 + temp2**2)
        lm%ratio = 0
        if (prered /= 0) lm%ratio = actred / prered

        call move_bound(lm, actred, dirder)

        ! A NaN ratio accepts the step, as in the original.
        lm%accepted = merge(0_c_int, 1_c_int, lm%ratio < accept)
        if (lm%accepted == 1) then
            a%x = a%wa2
            a%wa3 = a%diag * a%x
            a%fvec = a%wa4
            lm%xnorm = enorm(lm%n, a%wa3)
            lm%fnorm = lm%fnorm1
            lm%iter = lm%iter + 1
        end if

        lm%info = reason_to_stop(lm, actred, prered)
        if (lm%info /= 0) then
            lm%request = done
        else if (lm%accepted == 1) then
            lm%request = want_fjac
        else
            lm%request = go_on
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

    !> Shrink or widen delta, and change par inversely, by the ratio of actual to predicted reduction.
    !>
    !> Bits: a NaN ratio shrinks. actred itself is never NaN, since a NaN norm fails the test before its quotient; a NaN
    !> dirder makes the factor NaN, unless the residuals grew tenfold. pnorm / 0.1 is not 10 pnorm.
    pure subroutine move_bound(lm, actred, dirder)
        type(lm_state), intent(inout) :: lm
        real(dp),       intent(in)    :: actred   !< actual relative reduction
        real(dp),       intent(in)    :: dirder   !< scaled directional derivative
        real(dp) :: shrink

        if (.not. lm%ratio > 0.25_dp) then
            shrink = 0.5_dp
            if (actred < 0) shrink = 0.5_dp * dirder / (dirder + 0.5_dp * actred)
            if (0.1_dp * lm%fnorm1 >= lm%fnorm .or. shrink < 0.1_dp) shrink = 0.1_dp
            lm%delta = shrink * smaller(lm%delta, lm%pnorm / 0.1_dp)
            lm%par = lm%par / shrink
        else if (lm%par == 0 .or. .not. lm%ratio < 0.75_dp) then
            lm%delta = lm%pnorm / 0.5_dp
            lm%par = 0.5_dp * lm%par
        end if
    end subroutine move_bound

    !> MINPACK's info after a trial; 0: continue.
    pure function reason_to_stop(lm, actred, prered) result(info)
        type(lm_state), intent(in) :: lm
        real(dp),       intent(in) :: actred, prered
        integer(c_int) :: info
        logical :: small_reduction

        info = 0
        small_reduction = abs(actred) <= lm%ftol .and. prered <= lm%ftol .and. 0.5_dp * lm%ratio <= 1
        if (small_reduction) info = 1
        if (lm%delta <= lm%xtol * lm%xnorm) info = 2
        if (small_reduction .and. info == 2) info = 3
        if (info /= 0) return

        if (lm%nfev >= lm%maxfev) info = 5
        if (abs(actred) <= epsmch .and. prered <= epsmch .and. 0.5_dp * lm%ratio <= 1) info = 6
        if (lm%delta <= epsmch * lm%xnorm) info = 7
        if (lm%gnorm <= epsmch) info = 8
    end function reason_to_stop

end module lm_module
