!> Interfaces of the user's functions: C functions with a context.
!>
!> All return iflag: a negative value stops the solver and becomes info. x is the solver's own array.
module callbacks_module
    use, intrinsic :: iso_c_binding, only: c_int, c_ptr
    use machine_module, only: dp
    implicit none
    private
    public :: residuals_t, jacobian_t, points_t

    abstract interface

        !> fvec <- residuals at x
        function residuals_t(context, m, n, x, fvec, purpose) result(iflag) bind(C)
            import :: c_int, c_ptr, dp
            type(c_ptr),    value         :: context   !< opaque, passed through
            integer(c_int), value         :: m         !< number of residuals
            integer(c_int), value         :: n         !< number of variables
            real(dp),       intent(in)    :: x(n)      !< point of evaluation
            real(dp),       intent(inout) :: fvec(m)   !< residuals
            integer(c_int), value         :: purpose   !< 1: a step; 2: a forward difference
            integer(c_int)                :: iflag
        end function residuals_t

        !> fjac <- Jacobian at x, fjac(i,j) = d fvec(i) / d x(j)
        function jacobian_t(context, m, n, x, fjac, ldfjac) result(iflag) bind(C)
            import :: c_int, c_ptr, dp
            type(c_ptr),    value         :: context
            integer(c_int), value         :: m
            integer(c_int), value         :: n
            integer(c_int), value         :: ldfjac            !< leading dimension, >= m
            real(dp),       intent(in)    :: x(n)
            real(dp),       intent(inout) :: fjac(ldfjac, n)   !< Jacobian in rows 1..m
            integer(c_int)                :: iflag
        end function jacobian_t

        !> fvec(:, j) <- residuals at x(:, j), j = 1, ..., k
        function points_t(context, m, n, k, x, fvec, ldfvec) result(iflag) bind(C)
            import :: c_int, c_ptr, dp
            type(c_ptr),    value         :: context
            integer(c_int), value         :: m
            integer(c_int), value         :: n
            integer(c_int), value         :: k                 !< number of points
            integer(c_int), value         :: ldfvec            !< leading dimension, >= m
            real(dp),       intent(in)    :: x(n, k)
            real(dp),       intent(inout) :: fvec(ldfvec, k)
            integer(c_int)                :: iflag
        end function points_t

    end interface

end module callbacks_module
