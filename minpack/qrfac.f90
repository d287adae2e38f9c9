!> QR factorisation with column pivoting.
module qrfac_module
    use, intrinsic :: iso_c_binding, only: c_int
    use machine_module, only: dp, epsmch
    use enorm_module, only: enorm, norm_of_squares, norm_sums, norm_start, norm_add, norm_value, norm_block
    use qrfac_panels_module, only: qrfac_panels, panels_lwork
    implicit none
    private
    public :: qrfac, qrfac_lwork

    integer(c_int), parameter :: panels_n = 6           !< columns from which panels pay
    integer(c_int), parameter :: panels_m = 16384       !< rows up to which their work array is small, at most 1 MiB

contains

    !> Length of the work array for the fastest way.
    pure function qrfac_lwork(m, n) result(lwork)
        integer(c_int), intent(in) :: m, n
        integer(c_int) :: lwork

        lwork = n
        if (in_panels(m, n)) lwork = panels_lwork(m, n)
    end function qrfac_lwork

    !> Whether a matrix of this size is factorised in panels, if there is room.
    pure function in_panels(m, n)
        integer(c_int), intent(in) :: m, n
        logical :: in_panels

        in_panels = n >= panels_n .and. m >= n .and. m <= panels_m
    end function in_panels

    !> Factorise A P = Q R by Householder reflectors, the column of largest remaining norm first.
    !>
    !> Column j of `a` becomes reflector j (on and below the diagonal) under the entries of R above the diagonal;
    !> the diagonal of R goes to rdiag.
    !>
    !> Source: Moré, Garbow, Hillstrom, User guide for MINPACK-1, ANL-80-74, section on QRFAC.
    !> Bits: the pivot is the first of the columns of largest partial norm; whole columns are exchanged; a pivot of norm
    !> zero gives no reflector.
    pure subroutine qrfac(m, n, a, lda, pivot, ipvt, rdiag, acnorm, wa, work, lwork) bind(C, name="minpack_qrfac")
        integer(c_int), value, intent(in)    :: m               !< rows of A, m >= 0
        integer(c_int), value, intent(in)    :: n               !< columns of A, n >= 0
        integer(c_int), value, intent(in)    :: lda             !< leading dimension of a, lda >= m
        integer(c_int), value, intent(in)    :: pivot           !< 0: P is the identity and ipvt is not touched
        integer(c_int), value, intent(in)    :: lwork         !< length of work: at least n, better qrfac_lwork(m, n)
        real(dp),              intent(inout) :: a(lda, n)       !< in: A; out: reflectors and strict upper triangle of R
        integer(c_int),        intent(inout) :: ipvt(n)         !< column j of A P is column ipvt(j) of A
        real(dp),              intent(out)   :: rdiag(n)        !< diagonal of R
        real(dp),              intent(out)   :: acnorm(n)       !< norms of the columns of A
        real(dp),              intent(inout) :: wa(n)           !< work: norms at the last full computation
        real(dp),              intent(inout) :: work(lwork)

        if (pivot /= 0 .and. lda == m .and. in_panels(m, n) .and. lwork >= qrfac_lwork(m, n)) then
            call qrfac_panels(m, n, a, ipvt, rdiag, acnorm, work)
        else
            call qrfac_columns(m, n, a, lda, pivot, ipvt, rdiag, acnorm, wa, work)
        end if
    end subroutine qrfac

    !> As qrfac, column by column.
    !>
    !> A reflector stays pending when its dot products with the later columns are known: it is subtracted in the same
    !> pass over memory that takes the next reflector's dot products. Only row j, for R and the norms, and the next
    !> pivot are brought up to date before.
    pure subroutine qrfac_columns(m, n, a, lda, pivot, ipvt, rdiag, acnorm, wa, t)
        integer(c_int), intent(in)    :: m, n, lda, pivot
        real(dp),       intent(inout) :: a(lda, n)
        integer(c_int), intent(inout) :: ipvt(n)
        real(dp),       intent(out)   :: rdiag(n), acnorm(n)
        real(dp),       intent(inout) :: wa(n)      !< norms at the last full computation
        real(dp),       intent(inout) :: t(n)       !< factors of the pending reflector
        real(dp) :: ajnorm
        integer(c_int) :: j, k, kmax
        logical :: pending      ! reflector j-1 is still to be subtracted from rows j..m

        call column_norms(m, n, a, lda, acnorm)
        rdiag = acnorm
        wa = acnorm
        if (pivot /= 0) then
            do j = 1, n
                ipvt(j) = j
            end do
        end if
        pending = .false.
        do j = 1, min(m, n)
            kmax = j
            if (pivot /= 0) then
                do k = j, n
                    if (rdiag(k) > rdiag(kmax)) kmax = k
                end do
                if (kmax /= j) then
                    call exchange_columns(m, a(1:m, j), a(1:m, kmax))
                    rdiag(kmax) = rdiag(j)
                    wa(kmax) = wa(j)
                    call exchange_columns(1_c_int, t(j), t(kmax))
                    k = ipvt(j)
                    ipvt(j) = ipvt(kmax)
                    ipvt(kmax) = k
                end if
            end if

            if (pending) then
                call subtract_and_norm(m - j + 1, a(j, max(j - 1, 1)), t(j), a(j, j), ajnorm)
            else if (j == 1) then
                ajnorm = acnorm(kmax)
            else
                ajnorm = enorm(m - j + 1, a(j:m, j))
            end if
            if (ajnorm /= 0) then
                if (a(j, j) < 0) ajnorm = -ajnorm
                a(j:m, j) = a(j:m, j) / ajnorm
                a(j, j) = a(j, j) + 1
                call multiply_columns(m, n, j, a, lda, pending, t)
                do k = j + 1, n
                    t(k) = t(k) / a(j, j)
                    a(j, k) = a(j, k) - t(k) * a(j, j)
                    if (pivot /= 0) call update_norm(m - j, a(j:m, k), a(j:m, j), t(k), rdiag(k), wa(k))
                end do
            else if (pending) then
                do k = j + 1, n
                    a(j:m, k) = a(j:m, k) - t(k) * a(j:m, j - 1)
                end do
            end if
            pending = ajnorm /= 0
            rdiag(j) = -ajnorm
        end do
    end subroutine qrfac_columns

    !> Norms of the columns, four side by side; the last one fills up the last four.
    pure subroutine column_norms(m, n, a, lda, acnorm)
        integer(c_int), intent(in)    :: m, n, lda
        real(dp),       intent(in)    :: a(lda, n)
        real(dp),       intent(inout) :: acnorm(n)
        real(dp) :: s2(4), smallest(4), y(4)
        integer(c_int) :: i, j, k, l(4)

        if (n == 1) then
            acnorm(1) = enorm(m, a(1:m, 1))
            return
        end if
        do j = 1, n, 4
            l = min([j, j + 1, j + 2, j + 3], n)
            s2 = 0
            smallest = huge(smallest)
            do i = 1, m
                y = abs([a(i, l(1)), a(i, l(2)), a(i, l(3)), a(i, l(4))])
                s2 = s2 + y**2
                smallest = merge(y, smallest, y < smallest)
            end do
            do k = 1, min(4, n - j + 1)
                acnorm(l(k)) = norm_of_squares(m, a(1:m, l(k)), s2(k), smallest(k))
            end do
        end do
    end subroutine column_norms

    !> y <- y - t v, and its norm.
    pure subroutine subtract_and_norm(m, v, t, y, norm)
        integer(c_int), intent(in)    :: m
        real(dp),       intent(in)    :: v(m), t
        real(dp),       intent(inout) :: y(m)
        real(dp),       intent(out)   :: norm
        real(dp) :: s2, smallest
        integer(c_int) :: i

        s2 = 0
        smallest = huge(smallest)
        do i = 1, m
            y(i) = y(i) - t * v(i)
            s2 = s2 + y(i)**2
            smallest = merge(abs(y(i)), smallest, abs(y(i)) < smallest)
        end do
        norm = norm_of_squares(m, y, s2, smallest)
    end subroutine subtract_and_norm

    !> The dot products of reflector j with the later columns, rows j..m, in t; they are brought up to date with
    !> reflector j-1 and their factors in t first, if that is pending.
    !>
    !> Four columns at a time: each sum is a chain of dependent additions, and four chains run side by side.
    pure subroutine multiply_columns(m, n, j, a, lda, pending, t)
        integer(c_int), intent(in)    :: m, n, j, lda
        real(dp),       intent(inout) :: a(lda, n)
        logical,        intent(in)    :: pending
        real(dp),       intent(inout) :: t(n)
        integer(c_int) :: k, l

        l = max(j - 1, 1)
        k = j + 1
        do while (k + 3 <= n)
            call multiply_four(m - j + 1, a(j:m, l), a(j:m, j), pending, a(j:m, k), a(j:m, k + 1), a(j:m, k + 2), &
                a(j:m, k + 3), t(k:k + 3))
            k = k + 4
        end do
        if (k + 1 <= n) then
            call multiply_two(m - j + 1, a(j:m, l), a(j:m, j), pending, a(j:m, k), a(j:m, k + 1), t(k:k + 1))
            k = k + 2
        end if
        if (k <= n) call multiply_one(m - j + 1, a(j:m, l), a(j:m, j), pending, a(j:m, k), t(k))
    end subroutine multiply_columns

    !> y <- y - t v if v is pending, then t <- sum of w(i) y(i), for four columns y.
    !>
    !> Bits: each product is rounded before it is subtracted or added; each sum runs in increasing i.
    pure subroutine multiply_four(m, v, w, pending, y1, y2, y3, y4, t)
        integer(c_int), intent(in)    :: m
        real(dp),       intent(in)    :: v(m), w(m)
        logical,        intent(in)    :: pending
        real(dp),       intent(inout) :: y1(m), y2(m), y3(m), y4(m)
        real(dp),       intent(inout) :: t(4)
        real(dp) :: s1, s2, s3, s4, t1, t2, t3, t4
        integer(c_int) :: i

        s1 = 0
        s2 = 0
        s3 = 0
        s4 = 0
        if (pending) then
            t1 = t(1)
            t2 = t(2)
            t3 = t(3)
            t4 = t(4)
            do i = 1, m
                y1(i) = y1(i) - t1 * v(i)
                y2(i) = y2(i) - t2 * v(i)
                y3(i) = y3(i) - t3 * v(i)
                y4(i) = y4(i) - t4 * v(i)
                s1 = s1 + w(i) * y1(i)
                s2 = s2 + w(i) * y2(i)
                s3 = s3 + w(i) * y3(i)
                s4 = s4 + w(i) * y4(i)
            end do
        else
            do i = 1, m
                s1 = s1 + w(i) * y1(i)
                s2 = s2 + w(i) * y2(i)
                s3 = s3 + w(i) * y3(i)
                s4 = s4 + w(i) * y4(i)
            end do
        end if
        t = [s1, s2, s3, s4]
    end subroutine multiply_four

    !> As multiply_four, for two columns.
    pure subroutine multiply_two(m, v, w, pending, y1, y2, t)
        integer(c_int), intent(in)    :: m
        real(dp),       intent(in)    :: v(m), w(m)
        logical,        intent(in)    :: pending
        real(dp),       intent(inout) :: y1(m), y2(m)
        real(dp),       intent(inout) :: t(2)
        real(dp) :: s1, s2
        integer(c_int) :: i

        if (pending) then
            do i = 1, m
                y1(i) = y1(i) - t(1) * v(i)
                y2(i) = y2(i) - t(2) * v(i)
            end do
        end if
        s1 = 0
        s2 = 0
        do i = 1, m
            s1 = s1 + w(i) * y1(i)
            s2 = s2 + w(i) * y2(i)
        end do
        t = [s1, s2]
    end subroutine multiply_two

    !> As multiply_four, for one column.
    pure subroutine multiply_one(m, v, w, pending, y, t)
        integer(c_int), intent(in)    :: m
        real(dp),       intent(in)    :: v(m), w(m)
        logical,        intent(in)    :: pending
        real(dp),       intent(inout) :: y(m)
        real(dp),       intent(inout) :: t
        real(dp) :: s
        integer(c_int) :: i

        if (pending) then
            do i = 1, m
                y(i) = y(i) - t * v(i)
            end do
        end if
        s = 0
        do i = 1, m
            s = s + w(i) * y(i)
        end do
        t = s
    end subroutine multiply_one

    !> Exchange two columns.
    pure subroutine exchange_columns(m, x, y)
        integer(c_int), intent(in)    :: m      !< length of x and y
        real(dp),       intent(inout) :: x(m)
        real(dp),       intent(inout) :: y(m)
        real(dp) :: temp
        integer(c_int) :: i

        do i = 1, m
            temp = x(i)
            x(i) = y(i)
            y(i) = temp
        end do
    end subroutine exchange_columns

    !> Norm of a column without its first entry, from the norm with it.
    !>
    !> Bits: the downdate loses digits; once the norm has fallen far below the last one computed in full, it is
    !> computed in full again, from the column as the pending reflector will leave it. A NaN in that test computes in
    !> full.
    pure subroutine update_norm(m, y, v, t, norm, full)
        integer(c_int), intent(in)    :: m          !< length of the column without its first entry
        real(dp),       intent(in)    :: y(m + 1)   !< column; y(1) is up to date, and leaves the norm
        real(dp),       intent(in)    :: v(m + 1)   !< pending reflector
        real(dp),       intent(in)    :: t          !< its factor for the column
        real(dp),       intent(inout) :: norm       !< norm of the column
        real(dp),       intent(inout) :: full       !< norm at the last full computation
        type(norm_sums) :: sums
        real(dp) :: temp, x(norm_block)
        integer(c_int) :: i, length

        if (norm == 0) return
        temp = y(1) / norm
        temp = 1 - temp**2
        norm = norm * sqrt(merge(temp, 0.0_dp, temp > 0))
        if (0.05_dp * (norm / full)**2 > epsmch) return

        sums = norm_start(m)
        do i = 1, m, norm_block
            length = min(norm_block, m - i + 1)
            x(1:length) = y(i + 1:i + length) - t * v(i + 1:i + length)
            call norm_add(sums, length, x)
        end do
        norm = norm_value(sums)
        full = norm
    end subroutine update_norm

end module qrfac_module
