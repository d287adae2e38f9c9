!> QR factorisation with column pivoting, column by column.
module qrfac_columns_module
    use, intrinsic :: iso_c_binding, only: c_int
    use machine_module, only: dp, epsmch
    use enorm_module, only: enorm, norm_of_squares, norm_of_difference, subtract_and_norm, rdwarf
    implicit none
    private
    public :: qrfac_columns

    integer(c_int), parameter :: block = 16

contains

    !> As qrfac, for any matrix; and f <- Q'f.
    !>
    !> Once its dot products with the later columns and f are known, a reflector stays pending: it is subtracted in the
    !> same pass over memory that computes the next reflector's dot products. Only row j, for R and the norms, and the
    !> next pivot are updated earlier.
    pure subroutine qrfac_columns(m, n, a, lda, pivot, ipvt, rdiag, acnorm, wa, t, nf, f)
        integer(c_int), intent(in)    :: m, n, lda, pivot
        integer(c_int), intent(in)    :: nf         !< 0: no f; 1: f
        real(dp),       intent(inout) :: a(lda, n)
        integer(c_int), intent(inout) :: ipvt(n)
        real(dp),       intent(out)   :: rdiag(n), acnorm(n)
        real(dp),       intent(inout) :: wa(n)      !< norms at the last full computation
        real(dp),       intent(inout) :: t(n + nf)  !< factors of the pending reflector; the last is f's
        real(dp),       intent(inout) :: f(m, nf)
        real(dp) :: ajnorm
        integer(c_int) :: j, k, kmax
        logical :: pending      ! reflector j-1 is not yet subtracted from rows j..m

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
                call multiply_columns(m, n, j, a, lda, ajnorm, pending, t, nf, f)
                do k = j + 1, n
                    t(k) = t(k) / a(j, j)
                    a(j, k) = a(j, k) - t(k) * a(j, j)
                    if (pivot /= 0) call update_norm(m - j, a(j:m, k), a(j:m, j), t(k), rdiag(k), wa(k))
                end do
                do k = 1, nf
                    t(n + k) = t(n + k) / a(j, j)
                    f(j, k) = f(j, k) - t(n + k) * a(j, j)
                end do
            else if (pending) then
                do k = j + 1, n
                    a(j:m, k) = a(j:m, k) - t(k) * a(j:m, j - 1)
                end do
                do k = 1, nf
                    f(j:m, k) = f(j:m, k) - t(n + k) * a(j:m, j - 1)
                end do
            end if
            pending = ajnorm /= 0
            rdiag(j) = -ajnorm
        end do
        if (pending) then
            do k = 1, nf
                f(n + 1:m, k) = f(n + 1:m, k) - t(n + k) * a(n + 1:m, n)
            end do
        end if
    end subroutine qrfac_columns

    !> Norms of the columns, four at a time; the last column pads the last four.
    !>
    !> Bits: the squares add in increasing i; small components count as zero.
    pure subroutine column_norms(m, n, a, lda, acnorm)
        integer(c_int), intent(in)    :: m, n, lda
        real(dp),       intent(in)    :: a(lda, n)
        real(dp),       intent(inout) :: acnorm(n)
        real(dp) :: s2(4), y(4)
        integer(c_int) :: i, j, k, l(4)

        if (n == 1) then
            acnorm(1) = enorm(m, a(1:m, 1))
            return
        end if
        do j = 1, n, 4
            l = min([j, j + 1, j + 2, j + 3], n)
            s2 = 0
            do i = 1, m
                y = [a(i, l(1)), a(i, l(2)), a(i, l(3)), a(i, l(4))]
                s2 = s2 + y * merge(0.0_dp, y, abs(y) <= rdwarf)
            end do
            do k = 1, min(4, n - j + 1)
                acnorm(l(k)) = norm_of_squares(m, a(1:m, l(k)), s2(k))
            end do
        end do
    end subroutine column_norms

    !> Turn column j into a reflector; its dot products with the later columns and f, rows j..m, go to t. If reflector
    !> j-1 is pending, it is subtracted from these first, by their factors in t.
    !>
    !> Four at a time: each sum is a chain of dependent additions, and four chains run in parallel.
    pure subroutine multiply_columns(m, n, j, a, lda, norm, pending, t, nf, f)
        integer(c_int), intent(in)    :: m, n, j, lda, nf
        real(dp),       intent(inout) :: a(lda, n)
        real(dp),       intent(in)    :: norm       !< of column j, rows j..m, with a(j, j)'s sign
        logical,        intent(in)    :: pending
        real(dp),       intent(inout) :: t(n + nf)
        real(dp),       intent(inout) :: f(m, nf)
        integer(c_int) :: k, k2, k3, l, length
        logical :: scale            ! column j is not a reflector yet

        length = m - j + 1
        l = max(j - 1, 1)
        scale = .true.
        do k = j + 1, n - 3, 4
            call multiply(length, 4_c_int, a(j, l), a(j, j), norm, scale, pending, a(j, k), a(j, k + 1), a(j, k + 2), &
                a(j, k + 3), t(k))
            scale = .false.
        end do

        ! The last columns, at most three, and f; placeholder arguments are not read.
        k = n - mod(n - j, 4) + 1
        k2 = min(k + 1, n)
        k3 = min(k + 2, n)
        if (nf == 0) then
            call multiply(length, n - k + 1, a(j, l), a(j, j), norm, scale, pending, a(j, min(k, n)), a(j, k2), &
                a(j, k3), a(j, k3), t(min(k, n)))
        else if (k > n) then
            call multiply(length, 1_c_int, a(j, l), a(j, j), norm, scale, pending, f(j, 1), a(j, k2), a(j, k3), &
                a(j, k3), t(k))
        else if (k == n) then
            call multiply(length, 2_c_int, a(j, l), a(j, j), norm, scale, pending, a(j, k), f(j, 1), a(j, k3), &
                a(j, k3), t(k))
        else if (k == n - 1) then
            call multiply(length, 3_c_int, a(j, l), a(j, j), norm, scale, pending, a(j, k), a(j, k2), f(j, 1), &
                a(j, k3), t(k))
        else
            call multiply(length, 4_c_int, a(j, l), a(j, j), norm, scale, pending, a(j, k), a(j, k2), a(j, k3), &
                f(j, 1), t(k))
        end if
    end subroutine multiply_columns

    !> For the first n of four columns y: y <- y - t v if v is pending, then t <- sum of w(i) y(i).
    !>
    !> If scale is set, w first becomes a reflector: w / norm with 1 added to its first entry. Blocks let the processor
    !> divide while the additions of the previous block still wait for each other.
    !>
    !> Bits: each product is rounded before it is subtracted or added; each sum runs in increasing i.
    pure subroutine multiply(m, n, v, w, norm, scale, pending, y1, y2, y3, y4, t)
        integer(c_int), intent(in)    :: m
        integer(c_int), intent(in)    :: n                 !< 0 to 4
        real(dp),       intent(in)    :: v(m), norm
        real(dp),       intent(inout) :: w(m)
        logical,        intent(in)    :: scale, pending
        real(dp),       intent(inout) :: y1(m), y2(m), y3(m), y4(m)
        real(dp),       intent(inout) :: t(n)
        real(dp) :: s1, s2, s3, s4
        integer(c_int) :: first, i, last

        s1 = 0
        s2 = 0
        s3 = 0
        s4 = 0
        do first = 1, m, block
            last = first + min(block - 1, m - first)     ! no overflow where m is near huge(m)
            if (scale) w(first:last) = w(first:last) / norm
            if (scale .and. first == 1) w(1) = w(1) + 1
            if (pending) then
                if (n > 0) y1(first:last) = y1(first:last) - t(1) * v(first:last)
                if (n > 1) y2(first:last) = y2(first:last) - t(2) * v(first:last)
                if (n > 2) y3(first:last) = y3(first:last) - t(3) * v(first:last)
                if (n > 3) y4(first:last) = y4(first:last) - t(4) * v(first:last)
            end if
            select case (n)
            case (1)
                do i = first, last
                    s1 = s1 + w(i) * y1(i)
                end do
            case (2)
                do i = first, last
                    s1 = s1 + w(i) * y1(i)
                    s2 = s2 + w(i) * y2(i)
                end do
            case (3)
                do i = first, last
                    s1 = s1 + w(i) * y1(i)
                    s2 = s2 + w(i) * y2(i)
                    s3 = s3 + w(i) * y3(i)
                end do
            case (4)
                do i = first, last
                    s1 = s1 + w(i) * y1(i)
                    s2 = s2 + w(i) * y2(i)
                    s3 = s3 + w(i) * y3(i)
                    s4 = s4 + w(i) * y4(i)
                end do
            end select
        end do
        if (n > 0) t(1) = s1
        if (n > 1) t(2) = s2
        if (n > 2) t(3) = s3
        if (n > 3) t(4) = s4
    end subroutine multiply

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
    !> Bits: the downdate loses digits; once the norm is far below the last one computed in full, or that test meets
    !> NaN, it is recomputed in full, from the column as the pending reflector will leave it. Each quotient is rounded
    !> before it is squared.
    pure subroutine update_norm(m, y, v, t, norm, full)
        integer(c_int), intent(in)    :: m          !< length of the column without its first entry
        real(dp),       intent(in)    :: y(m + 1)   !< column; y(1) is updated, and dropped from the norm
        real(dp),       intent(in)    :: v(m + 1)   !< pending reflector
        real(dp),       intent(in)    :: t          !< its factor for the column
        real(dp),       intent(inout) :: norm       !< norm of the column
        real(dp),       intent(inout) :: full       !< norm at the last full computation
        real(dp) :: temp

        if (norm == 0) return
        temp = y(1) / norm
        temp = 1 - temp**2
        norm = norm * sqrt(merge(temp, 0.0_dp, temp > 0))
        if (0.05_dp * (norm / full)**2 > epsmch) return

        norm = norm_of_difference(m, y(2:m + 1), 1_c_int, t, v(2:m + 1))
        full = norm
    end subroutine update_norm

end module qrfac_columns_module
