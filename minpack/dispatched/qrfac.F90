!> QR factorisation with column pivoting.
module qrfac_module
    use, intrinsic :: iso_c_binding, only: c_int
    use machine_module, only: dp
    use checks_module, only: checking, check_sizes, check_qrfac
    use dispatched_module, only: rows_at_once
    use qrfac_columns_module, only: qrfac_columns
    use qrfac_panels_module, only: qrfac_panels, panels_lwork
    implicit none
    private
    public :: qrfac, qrfac_qtf, lwork

    integer(c_int), parameter :: panels_n = 8           !< least number of columns for which panels pay
    integer(c_int), parameter :: panels_m = 16384       !< most rows: a panel's copy of eight columns is then 1 MiB

contains

    !> Length of the work array with which qrfac is fastest; enough for qrsolv, too.
    pure function lwork(m, n) bind(C, name="minpack_lwork" // SUFFIX)
        integer(c_int), value, intent(in) :: m, n
        integer(c_int) :: lwork

        lwork = n + 1
        if (in_panels(m, n)) lwork = panels_lwork(m, n)
        lwork = max(lwork, rows_at_once * n)
    end function lwork

    !> Whether a matrix of this size is factorised in panels, if there is room for them.
    pure function in_panels(m, n)
        integer(c_int), intent(in) :: m, n
        logical :: in_panels

        in_panels = n >= panels_n .and. m >= n .and. m <= panels_m
    end function in_panels

    !> Whether a matrix is factorised in panels: it is contiguous and of that size, and work is long enough.
    pure function have_room(m, n, lda, lenwork)
        integer(c_int), intent(in) :: m, n, lda, lenwork
        logical :: have_room

        have_room = .false.
        if (lda == m .and. in_panels(m, n)) have_room = lenwork >= panels_lwork(m, n)
    end function have_room

    !> Factorise A P = Q R by Householder reflectors, the column of largest remaining norm first.
    !>
    !> Column j of `a` becomes R above the diagonal and reflector j on and below it; the diagonal of R goes to rdiag.
    !>
    !> Source: Moré, Garbow, Hillstrom, User guide for MINPACK-1, ANL-80-74, section on QRFAC.
    !> Bits: the pivot is the first of the columns of largest partial norm; whole columns are exchanged; a pivot of norm
    !> zero gives no reflector.
    pure subroutine qrfac(m, n, a, lda, pivot, ipvt, rdiag, acnorm, wa, work, lenwork) &
            bind(C, name="minpack_qrfac" // SUFFIX)
        integer(c_int), value, intent(in)    :: m               !< rows of A, m >= 0
        integer(c_int), value, intent(in)    :: n               !< columns of A, n >= 0
        integer(c_int), value, intent(in)    :: lda             !< leading dimension of a, lda >= m
        integer(c_int), value, intent(in)    :: pivot           !< 0: P is the identity, ipvt is untouched
        integer(c_int), value, intent(in)    :: lenwork         !< length of work: at least n, fastest with lwork(m, n)
        real(dp),              intent(inout) :: a(lda, n)       !< in: A; out: reflectors and strict upper triangle of R
        integer(c_int),        intent(inout) :: ipvt(n)         !< column j of A P is column ipvt(j) of A
        real(dp),              intent(out)   :: rdiag(n)        !< diagonal of R
        real(dp),              intent(out)   :: acnorm(n)       !< norms of the columns of A
        real(dp),              intent(inout) :: wa(n)           !< work: norms at the last full computation
        real(dp),              intent(inout) :: work(lenwork)

        if (checking) call check_sizes(m, n, lda, lenwork, n)
        if (pivot /= 0 .and. have_room(m, n, lda, lenwork)) then
            call qrfac_panels(m, n, a, ipvt, rdiag, acnorm, work)
        else
            call qrfac_columns(m, n, a, lda, pivot, ipvt, rdiag, acnorm, wa, work, 0_c_int, wa)     ! no f
        end if
        if (checking) call check_qrfac(m, n, a, lda, pivot, ipvt, rdiag, acnorm)
    end subroutine qrfac

    !> qrfac with pivoting for m >= n, and f <- Q'f.
    pure subroutine qrfac_qtf(m, n, a, lda, ipvt, rdiag, acnorm, wa, work, lenwork, f) &
            bind(C, name="minpack_qrfac_qtf" // SUFFIX)
        integer(c_int), value, intent(in)    :: m, n, lda
        integer(c_int), value, intent(in)    :: lenwork     !< at least n + 1, fastest with lwork(m, n)
        real(dp),              intent(inout) :: a(lda, n)
        integer(c_int),        intent(inout) :: ipvt(n)
        real(dp),              intent(out)   :: rdiag(n), acnorm(n)
        real(dp),              intent(inout) :: wa(n), work(lenwork)
        real(dp),              intent(inout) :: f(m)

        if (checking) call check_sizes(m, n, lda, lenwork, n + 1)
        if (have_room(m, n, lda, lenwork)) then
            call qrfac_panels(m, n, a, ipvt, rdiag, acnorm, work)
            call apply_qt(m, n, a, f)
        else
            call qrfac_columns(m, n, a, lda, 1_c_int, ipvt, rdiag, acnorm, wa, work, 1_c_int, f)
        end if
        if (checking) call check_qrfac(m, n, a, lda, 1_c_int, ipvt, rdiag, acnorm)
    end subroutine qrfac_qtf

    !> f <- Q'f.
    !>
    !> Each pass subtracts one reflector and computes the dot product of the next.
    !>
    !> Bits: each dot product adds in increasing i; a reflector whose first entry is zero is skipped.
    pure subroutine apply_qt(m, n, a, f)
        integer(c_int), intent(in)    :: m, n
        real(dp),       intent(in)    :: a(m, n)      !< reflectors on and below the diagonal
        real(dp),       intent(inout) :: f(m)
        real(dp) :: total, temp
        integer(c_int) :: i, j
        logical :: pending      ! reflector j-1 is not yet subtracted from rows j..m

        temp = 0
        pending = .false.
        do j = 1, n
            if (a(j, j) == 0) then
                if (pending) f(j:m) = f(j:m) - temp * a(j:m, j - 1)
                pending = .false.
                cycle
            end if
            total = 0
            if (pending) then
                do i = j, m
                    f(i) = f(i) - temp * a(i, max(j - 1, 1))
                    total = total + a(i, j) * f(i)
                end do
            else
                do i = j, m
                    total = total + a(i, j) * f(i)
                end do
            end if
            pending = .true.
            temp = total / a(j, j)
            f(j) = f(j) - temp * a(j, j)
        end do
        if (pending) f(n + 1:m) = f(n + 1:m) - temp * a(n + 1:m, n)
    end subroutine apply_qt

end module qrfac_module
