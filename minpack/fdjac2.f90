!> The Jacobian by forward differences, one call per point or all points at once.
module fdjac2_module
    use, intrinsic :: iso_c_binding, only: c_int, c_ptr
    use machine_module, only: dp, epsmch, larger
    use callbacks_module, only: residuals_t
    implicit none
    private
    public :: fdjac2, size_of, difference_step, difference_points, difference_quotients

contains

    !> max(|x|, typical_x): the size of a variable.
    !>
    !> Bits: a NaN in x stays one.
    elemental function size_of(x, typical_x) result(size)
        real(dp), intent(in) :: x
        real(dp), intent(in) :: typical_x   !< least size; 0: |x|, as MINPACK has it
        real(dp) :: size

        size = abs(x)
        if (size < typical_x) size = typical_x
    end function size_of

    !> The step h in a variable x:  eps max(|x|, typical_x), or eps where this is 0.
    !>
    !> Source: Moré, Garbow, Hillstrom, User guide for MINPACK-1, ANL-80-74, section on FDJAC2, which has no typical_x.
    pure function step(x, eps, typical_x) result(h)
        real(dp), intent(in) :: x
        real(dp), intent(in) :: eps         !< of relative_step
        real(dp), intent(in) :: typical_x   !< least size of x to step by; 0: MINPACK's step
        real(dp) :: h

        h = eps * size_of(x, typical_x)
        if (h == 0) h = eps
    end function step

    !> sqrt(max(epsfcn, epsmch))
    pure function relative_step(epsfcn) result(eps)
        real(dp), intent(in) :: epsfcn      !< relative error of the residuals
        real(dp) :: eps

        eps = sqrt(larger(epsfcn, epsmch))
    end function relative_step

    !> typical_x(j); 0 if absent.
    pure function typical(j, n, typical_x)
        integer(c_int),     intent(in) :: j, n
        real(dp), optional, intent(in) :: typical_x(n)
        real(dp) :: typical

        typical = 0
        if (present(typical_x)) typical = typical_x(j)
    end function typical

    !> The step in variable j at the value xj.
    pure function difference_step(j, n, xj, epsfcn, typical_x) result(h)
        integer(c_int),     intent(in) :: j, n
        real(dp),           intent(in) :: xj, epsfcn
        real(dp), optional, intent(in) :: typical_x(n)
        real(dp) :: h

        h = step(xj, relative_step(epsfcn), typical(j, n, typical_x))
    end function difference_step

    !> fjac(:, j) <- (f(x + h e_j) - f(x)) / h  with h from step.
    !>
    !> Source: Moré, Garbow, Hillstrom, User guide for MINPACK-1, ANL-80-74, section on FDJAC2.
    !> Bits: the difference is divided by h, not by the rounded step (x + h) - x.
    recursive subroutine fdjac2(residuals, context, m, n, x, fvec, fjac, ldfjac, iflag, epsfcn, wa, typical_x) &
            bind(C, name="minpack_fdjac2")
        procedure(residuals_t)               :: residuals         !< f
        type(c_ptr),    value                :: context           !< passed to residuals
        integer(c_int), value, intent(in)    :: m                 !< number of residuals
        integer(c_int), value, intent(in)    :: n                 !< number of variables
        integer(c_int), value, intent(in)    :: ldfjac            !< leading dimension of fjac, ldfjac >= m
        real(dp), value,       intent(in)    :: epsfcn            !< relative error of the residuals
        real(dp),              intent(inout) :: x(n)              !< point; if stopped, stepped in the current variable
        real(dp),              intent(in)    :: fvec(m)           !< f(x)
        real(dp),              intent(inout) :: fjac(ldfjac, n)   !< Jacobian
        integer(c_int),        intent(out)   :: iflag             !< last return value of residuals; negative: stopped
        real(dp),              intent(inout) :: wa(m)             !< work: f at a stepped point
        real(dp), optional,    intent(in)    :: typical_x(n)
        real(dp) :: eps, h, temp
        integer(c_int) :: j

        iflag = 0
        eps = relative_step(epsfcn)
        do j = 1, n
            temp = x(j)
            h = step(temp, eps, typical(j, n, typical_x))
            x(j) = temp + h
            iflag = residuals(context, m, n, x, wa, 2_c_int)
            if (iflag < 0) return
            x(j) = temp
            fjac(1:m, j) = (wa - fvec) / h
        end do
    end subroutine fdjac2

    !> points(:, j) <- x + h e_j, where fdjac2 evaluates the residuals.
    pure subroutine difference_points(n, x, epsfcn, points, typical_x)
        integer(c_int),     intent(in)  :: n
        real(dp),           intent(in)  :: x(n), epsfcn
        real(dp),           intent(out) :: points(n, n)
        real(dp), optional, intent(in)  :: typical_x(n)
        real(dp) :: eps
        integer(c_int) :: j

        eps = relative_step(epsfcn)
        do j = 1, n
            points(:, j) = x
            points(j, j) = x(j) + step(x(j), eps, typical(j, n, typical_x))
        end do
    end subroutine difference_points

    !> fjac(:, j) <- (fjac(:, j) - fvec) / h; fjac holds the residuals at difference_points.
    pure subroutine difference_quotients(m, n, x, fvec, fjac, ldfjac, epsfcn, typical_x)
        integer(c_int),     intent(in)    :: m, n, ldfjac
        real(dp),           intent(in)    :: x(n), fvec(m), epsfcn
        real(dp),           intent(inout) :: fjac(ldfjac, n)
        real(dp), optional, intent(in)    :: typical_x(n)
        real(dp) :: eps, h
        integer(c_int) :: j

        eps = relative_step(epsfcn)
        do j = 1, n
            h = step(x(j), eps, typical(j, n, typical_x))
            fjac(1:m, j) = (fjac(1:m, j) - fvec) / h
        end do
    end subroutine difference_quotients

end module fdjac2_module
