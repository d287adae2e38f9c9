!> The loop around the iteration: what lm asks for, the user's functions answer.
module loop_module
    use, intrinsic :: iso_c_binding, only: c_int, c_ptr, c_funptr, c_associated, c_f_procpointer
    use machine_module, only: dp
    use callbacks_module, only: residuals_t, jacobian_t
    use fdjac2_module, only: fdjac2
    use lm_module, only: lm_state, lm_arrays, arrays_of, lm_start, lm_advance, want_fvec, want_fjac, want_trial, done
    implicit none
    private
    public :: solve

contains

    !> Minimise the sum of squares: from the first request to the end, or to a negative answer, which becomes info.
    !>
    !> Recursive, since the user's functions may start solves of their own.
    recursive subroutine solve(lm, residuals, jacobian, context, epsfcn) bind(C, name="minpack_solve")
        type(lm_state),    intent(inout) :: lm          !< out: request, and what follows it
        procedure(residuals_t)           :: residuals   !< called with context
        type(c_funptr), value            :: jacobian    !< a jacobian_t, called with context; null: by differences
        type(c_ptr),    value            :: context
        real(dp), value, intent(in)      :: epsfcn      !< relative error of the residuals, for differences
        procedure(jacobian_t), pointer :: user_jacobian
        type(lm_arrays) :: a
        integer(c_int) :: iflag

        a = arrays_of(lm)
        user_jacobian => null()
        if (c_associated(jacobian)) call c_f_procpointer(jacobian, user_jacobian)
        call lm_start(lm, a%diag)
        do while (lm%request /= done)
            select case (lm%request)
            case (want_fvec)
                iflag = residuals(context, lm%m, lm%n, a%x, a%fvec, 1_c_int)
                lm%nfev = 1
            case (want_fjac)
                if (associated(user_jacobian)) then
                    iflag = user_jacobian(context, lm%m, lm%n, a%x, a%fjac, lm%ldfjac)
                    lm%njev = lm%njev + 1
                else
                    call fdjac2(residuals, context, lm%m, lm%n, a%x, a%fvec, a%fjac, lm%ldfjac, iflag, epsfcn, a%wa4)
                    lm%nfev = lm%nfev + lm%n
                end if
            case (want_trial)
                iflag = residuals(context, lm%m, lm%n, a%wa2, a%wa4, 1_c_int)
                lm%nfev = lm%nfev + 1
            end select
            if (iflag < 0) then
                lm%info = iflag
                exit
            end if
            call lm_advance(lm, a)
        end do
    end subroutine solve

end module loop_module
