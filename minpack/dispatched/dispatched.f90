!> Interfaces of the routines that are compiled once per instruction set. instruction_sets.c forwards each call to the
!> one in use. The routines are described in their own files.
module dispatched_module
    use, intrinsic :: iso_c_binding, only: c_int
    use machine_module, only: dp
    implicit none
    private
    public :: rows_at_once, enorm, lwork, qrfac_qtf, qrsolv

    integer(c_int), parameter :: rows_at_once = 4       !< rows that qrsolv eliminates at once, n of its work for each

    interface
        pure function enorm(n, x) result(norm) bind(C, name="minpack_enorm")
            import :: c_int, dp
            integer(c_int), value, intent(in) :: n
            real(dp),              intent(in) :: x(n)
            real(dp) :: norm
        end function enorm

        pure function lwork(m, n) bind(C, name="minpack_lwork")
            import :: c_int
            integer(c_int), value, intent(in) :: m, n
            integer(c_int) :: lwork
        end function lwork

        pure subroutine qrfac_qtf(m, n, a, lda, ipvt, rdiag, acnorm, wa, work, lenwork, f) &
                bind(C, name="minpack_qrfac_qtf")
            import :: c_int, dp
            integer(c_int), value, intent(in)    :: m, n, lda, lenwork
            real(dp),              intent(inout) :: a(lda, n), wa(n), work(lenwork), f(m)
            integer(c_int),        intent(inout) :: ipvt(n)
            real(dp),              intent(out)   :: rdiag(n), acnorm(n)
        end subroutine qrfac_qtf

        pure subroutine qrsolv(n, r, ldr, ipvt, diag, qtb, x, sdiag, wa, work) bind(C, name="minpack_qrsolv")
            import :: c_int, dp, rows_at_once
            integer(c_int), value, intent(in)    :: n, ldr
            real(dp),              intent(inout) :: r(ldr, n)
            integer(c_int),        intent(in)    :: ipvt(n)
            real(dp),              intent(in)    :: diag(n), qtb(n)
            real(dp),              intent(inout) :: x(n), sdiag(n), wa(n), work(rows_at_once * n)
        end subroutine qrsolv
    end interface

end module dispatched_module
