!> The loop that meets lm's requests by calling the answerer's functions, and lm's steps for C, which runs its own loop.
module loop_module
    use, intrinsic :: iso_c_binding, only: c_int, c_ptr, c_funptr, c_associated, c_f_pointer, c_f_procpointer
    use machine_module, only: dp
    use callbacks_module, only: residuals_t, jacobian_t, points_t
    use fdjac2_module, only: fdjac2, difference_step, difference_points, difference_quotients
    use lm_module, only: lm_state, lm_arrays, arrays_of, lm_start, lm_advance, want_fvec, want_fjac, go_on, want_trial, done
    implicit none
    private
    public :: answerer, solve, start, advance, step_of_difference, points_of_differences, quotients_of_differences

    !> The functions that a fit calls: MinpackAnswerer of minpack.h.
    type, bind(C) :: answerer
        type(c_funptr) :: residuals   !< a residuals_t
        type(c_funptr) :: jacobian    !< a jacobian_t; null: forward differences
        type(c_funptr) :: points      !< a points_t, all of a difference Jacobian's points in one call; null: one by one
        type(c_funptr) :: watch       !< a watch_t; null: none
        type(c_ptr)    :: context     !< passed to all of them
        type(c_ptr)    :: x           !< (n, n) work, for points
    end type answerer

    abstract interface

        !> Called after each trial, before the next step is computed. Negative ends the fit and becomes info.
        function watch_t(context, lm) result(iflag) bind(C)
            import :: c_int, c_ptr, lm_state
            type(c_ptr),    value      :: context
            type(lm_state), intent(in) :: lm
            integer(c_int)             :: iflag
        end function watch_t

    end interface

contains

    !> Minimise the sum of squares, until done or until a function returns a negative value, which becomes info.
    !>
    !> Recursive, since the user's functions may start solves of their own.
    recursive subroutine solve(lm, answers) bind(C, name="minpack_solve")
        type(lm_state),  intent(inout) :: lm          !< out: the fields from request on
        type(answerer),  intent(in)    :: answers
        procedure(residuals_t), pointer :: residuals
        procedure(watch_t),     pointer :: watch
        type(lm_arrays) :: a
        integer(c_int) :: iflag

        a = arrays_of(lm)
        call c_f_procpointer(answers%residuals, residuals)
        watch => null()
        if (c_associated(answers%watch)) call c_f_procpointer(answers%watch, watch)
        call lm_start(lm, a%diag)
        do while (lm%request /= done)
            iflag = 0
            select case (lm%request)
            case (want_fvec)
                iflag = residuals(answers%context, lm%m, lm%n, a%x, a%fvec, 1_c_int)
                lm%nfev = 1
            case (want_fjac)
                call answer_jacobian(lm, a, answers, residuals, iflag)
            case (want_trial)
                iflag = residuals(answers%context, lm%m, lm%n, a%wa2, a%wa4, 1_c_int)
                lm%nfev = lm%nfev + 1
            end select
            if (iflag >= 0) then
                if (lm%request == want_trial .and. associated(watch)) then
                    call lm_advance(lm, a)
                    iflag = watch(answers%context, lm)
                else
                    call lm_advance(lm, a)
                end if
            end if
            if (iflag < 0) then
                lm%info = iflag
                exit
            end if
        end do
    end subroutine solve

    !> Put the Jacobian at x into fjac: the user's, or forward differences.
    recursive subroutine answer_jacobian(lm, a, answers, residuals, iflag)
        type(lm_state),  intent(inout) :: lm
        type(lm_arrays), intent(in)    :: a
        type(answerer),  intent(in)    :: answers
        procedure(residuals_t)         :: residuals
        integer(c_int),  intent(out)   :: iflag
        procedure(jacobian_t), pointer :: jacobian
        procedure(points_t),   pointer :: points
        real(dp), pointer, contiguous :: x(:, :)

        if (c_associated(answers%jacobian)) then
            call c_f_procpointer(answers%jacobian, jacobian)
            iflag = jacobian(answers%context, lm%m, lm%n, a%x, a%fjac, lm%ldfjac)
            lm%njev = lm%njev + 1
            return
        end if
        if (c_associated(answers%points)) then
            call c_f_procpointer(answers%points, points)
            call c_f_pointer(answers%x, x, [lm%n, lm%n])
            call points_of_differences(lm, x)
            iflag = points(answers%context, lm%m, lm%n, lm%n, x, a%fjac, lm%ldfjac)
            if (iflag >= 0) call quotients_of_differences(lm)
        else
            ! Step in a copy, so that x stays intact whatever happens; but if stopped, leave x stepped, as MINPACK does.
            a%wa3 = a%x
            call fdjac2(residuals, answers%context, lm%m, lm%n, a%wa3, a%fvec, a%fjac, lm%ldfjac, iflag, lm%epsfcn, &
                        a%wa4, a%typical_x)
            if (iflag < 0) a%x = a%wa3
        end if
        lm%nfev = lm%nfev + lm%n
    end subroutine answer_jacobian

    !> lm_start for C.
    subroutine start(lm) bind(C, name="minpack_start")
        type(lm_state), intent(inout) :: lm
        type(lm_arrays) :: a

        a = arrays_of(lm)
        call lm_start(lm, a%diag)
    end subroutine start

    !> lm_advance for C.
    subroutine advance(lm) bind(C, name="minpack_advance")
        type(lm_state), intent(inout) :: lm

        call lm_advance(lm, arrays_of(lm))
    end subroutine advance

    !> Forward-difference step in variable j at the value x.
    function step_of_difference(lm, j, x) result(h) bind(C, name="minpack_difference_step")
        type(lm_state),        intent(in) :: lm
        integer(c_int), value, intent(in) :: j              !< from 0
        real(dp),       value, intent(in) :: x
        real(dp) :: h
        type(lm_arrays) :: a

        a = arrays_of(lm)
        h = difference_step(j + 1_c_int, lm%n, x, lm%epsfcn, a%typical_x)
    end function step_of_difference

    !> Points at which a difference Jacobian needs the residuals.
    subroutine points_of_differences(lm, points) bind(C, name="minpack_difference_points")
        type(lm_state), intent(in)  :: lm                   !< its request is want_fjac
        real(dp),       intent(out) :: points(lm%n, lm%n)   !< column j: x with a step in variable j
        type(lm_arrays) :: a

        a = arrays_of(lm)
        call difference_points(lm%n, a%x, lm%epsfcn, points, a%typical_x)
    end subroutine points_of_differences

    !> fjac: in the residuals at these points, one per column; out the Jacobian.
    subroutine quotients_of_differences(lm) bind(C, name="minpack_difference_quotients")
        type(lm_state), intent(in) :: lm
        type(lm_arrays) :: a

        a = arrays_of(lm)
        call difference_quotients(lm%m, lm%n, a%x, a%fvec, a%fjac, lm%ldfjac, lm%epsfcn, a%typical_x)
    end subroutine quotients_of_differences

end module loop_module
