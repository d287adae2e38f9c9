!> The Jacobian by forward differences.
module fdjac2_module
    use, intrinsic :: iso_c_binding, only: c_int, c_ptr
    use machine_module, only: dp, epsmch, larger
    use callbacks_module, only: residuals_t
    implicit none
    private
    public :: fdjac2

contains

    !> fjac(:, j) <- (f(x + h e_j) - f(x)) / h  with  h = sqrt(max(epsfcn, epsmch)) |x(j)|, or that root where x(j) = 0.
    !>
    !> Source: Moré, Garbow, Hillstrom, User guide for MINPACK-1, ANL-80-74, section on FDJAC2.
    !> Bits: the difference is divided by h, not by the step that x + h really makes.
    recursive subroutine fdjac2(residuals, context, m, n, x, fvec, fjac, ldfjac, iflag, epsfcn, wa) &
            bind(C, name="minpack_fdjac2")
        procedure(residuals_t)               :: residuals         !< f
        type(c_ptr),    value                :: context           !< handed to residuals
        integer(c_int), value, intent(in)    :: m                 !< number of residuals
        integer(c_int), value, intent(in)    :: n                 !< number of variables
        integer(c_int), value, intent(in)    :: ldfjac            !< leading dimension of fjac, ldfjac >= m
        real(dp), value,       intent(in)    :: epsfcn            !< relative error of the residuals
        real(dp),              intent(inout) :: x(n)              !< point; after a stop, stepped in that variable
        real(dp),              intent(in)    :: fvec(m)           !< f(x)
        real(dp),              intent(inout) :: fjac(ldfjac, n)   !< Jacobian
        integer(c_int),        intent(out)   :: iflag             !< last answer of residuals; negative: stopped
        real(dp),              intent(inout) :: wa(m)             !< work: f at a stepped point
        real(dp) :: eps, h, temp
        integer(c_int) :: j

        iflag = 0
        eps = sqrt(larger(epsfcn, epsmch))
        do j = 1, n
            temp = x(j)
            h = eps * abs(temp)
            if (h == 0) h = eps
            x(j) = temp + h
            iflag = residuals(context, m, n, x, wa, 2_c_int)
            if (iflag < 0) return
            x(j) = temp
            fjac(1:m, j) = (wa - fvec) / h
        end do
    end subroutine fdjac2

end module fdjac2_module
