!> QR factorisation with column pivoting, eight columns at a time.
!>
!> Columns are interleaved in panels of eight, which fill the lanes of the vector registers, so that eight dot products
!> run in parallel, each in its own order. A column is numbered by its slot, column + pad, where pad empty slots in
!> front complete the first panel. Panel q holds slots 8 q + 1 to 8 q + 8.
!>
!> There is no second matrix. Panel q >= 1 occupies the memory of its own eight columns. The panel of column j is
!> `open`, a copy: a finished column goes from there to its final place, in memory that no panel needs any more. Columns
!> of `open` swap slots without moving: lane(l) is the lane of its l-th slot. In other panels that is lane l.
module qrfac_panels_module
    use, intrinsic :: iso_c_binding, only: c_int
    use machine_module, only: dp
    use enorm_module, only: norm_of_squares, norm_of_difference, rdwarf
    use panels_module, only: lanes, multiply_panels, subtract_panels, dot_panels, square_panel, update_row
    implicit none
    private
    public :: qrfac_panels, panels_lwork

contains

    !> Length of qrfac_panels' work array.
    pure function panels_lwork(m, n) result(lwork)
        integer(c_int), intent(in) :: m, n
        integer(c_int) :: lwork

        lwork = lanes * (m + 3 * panels(n))
    end function panels_lwork

    !> Number of panels for n columns.
    pure function panels(n) result(np)
        integer(c_int), intent(in) :: n
        integer(c_int) :: np

        np = (n + lanes - 1) / lanes
    end function panels

    !> As qrfac with pivoting, for 1 <= n <= m and m n at most huge(n).
    !>
    !> Bits: those of qrfac. Columns swap slots as they swap places there, so that ties between norms are broken alike.
    pure subroutine qrfac_panels(m, n, a, ipvt, rdiag, acnorm, work)
        integer(c_int), intent(in)    :: m                 !< rows of A
        integer(c_int), intent(in)    :: n                 !< columns of A
        real(dp),       intent(inout) :: a(m * n)          !< column-major; in: A; out: reflectors, strict triangle of R
        integer(c_int), intent(inout) :: ipvt(n)           !< column j of A P is column ipvt(j) of A
        real(dp),       intent(out)   :: rdiag(n)          !< diagonal of R
        real(dp),       intent(out)   :: acnorm(n)         !< norms of the columns of A
        real(dp),       intent(inout) :: work(panels_lwork(m, n))
        integer(c_int) :: at, j, np

        if (.not. any(a /= 0)) then     ! no reflectors: panels are not worth the copies
            ipvt = [(j, j = 1, n)]
            rdiag = -0.0_dp
            acnorm = 0
            return
        end if
        np = panels(n)
        at = lanes * m + 1
        call factorise(m, n, np, a, ipvt, rdiag, acnorm, work(1), work(at), work(at + lanes * np), &
            work(at + 2 * lanes * np))
    end subroutine qrfac_panels

    !> qrfac_panels with its work array split up.
    pure subroutine factorise(m, n, np, a, ipvt, rdiag, acnorm, open, t, norm, full)
        integer(c_int), intent(in)    :: m, n, np
        real(dp),       intent(inout) :: a(m * n)
        integer(c_int), intent(inout) :: ipvt(n)
        real(dp),       intent(out)   :: rdiag(n), acnorm(n)
        real(dp),       intent(inout) :: open(lanes, m)
        real(dp),       intent(inout) :: t(lanes * np)      !< by panels and lanes: factors of the pending reflector
        real(dp),       intent(inout) :: norm(lanes * np)   !< likewise: norms of the columns' remaining rows
        real(dp),       intent(inout) :: full(lanes * np)   !< likewise: norms at the last full computation
        real(dp) :: ajnorm, s2
        integer(c_int) :: pad       ! empty slots in front
        integer(c_int) :: above     ! a(above + i) is row i of column j
        integer(c_int) :: before    ! a(before + i) is row i of column j-1
        integer(c_int) :: first     ! slots of the open panel are first..first+7
        integer(c_int) :: after     ! the panels after it begin at a(after)
        integer(c_int) :: from, rest    ! panels that reflector j applies to: open if from is 0, and rest more
        integer(c_int) :: chosen    ! slot of the pivot
        integer(c_int) :: at        ! place in t, norm and full that becomes empty
        integer(c_int) :: j, k, l, renewals
        integer(c_int) :: lane(lanes)
        logical :: pending          ! reflector j-1 is not yet subtracted from rows j..m

        pad = lanes * np - n
        call interleave(m, n, pad, a, open, norm)
        full = norm
        t = 0
        do j = 1, n
            acnorm(j) = norm(j + pad)
            ipvt(j) = j
        end do
        lane = [(l, l = 1, lanes)]
        pending = .false.
        do j = 1, n
            above = (j - 1) * m
            before = max(above - m, 0)
            first = j + pad - mod(j + pad - 1, lanes)
            from = merge(0, 1, j + pad < first + lanes - 1)
            rest = np - first / lanes - 1
            after = merge((first + lanes - 1 - pad) * m + 1, 1, rest > 0)

            if (j + pad == first .and. j > 1) then
                call copy(lanes * m, a(above + 1), open)
                lane = [(l, l = 1, lanes)]
            end if

            ! The pivot, updated, becomes column j. The column in j's slot takes the pivot's slot. From now on one lane
            ! of open is empty: factor and norm 0.
            l = j + pad - first + 1
            at = first - 1 + lane(l)
            chosen = slot_of_pivot(j + pad, first, lane, norm)
            k = ipvt(j)
            ipvt(j) = ipvt(chosen - pad)
            ipvt(chosen - pad) = k
            if (chosen < first + lanes) then
                k = lane(chosen - first + 1)
                call take_from_open(m, j, open, k, pending, t(first - 1 + k), a(before + 1), a(above + 1), &
                    norm(first - 1 + k) == 0, s2)
                lane(chosen - first + 1) = lane(l)
                lane(l) = k
                at = first - 1 + k
            else
                k = chosen - mod(chosen - 1, lanes)
                call take_from_panel(m, j, a((k - 1 - pad) * m + 1), chosen - k + 1, open, lane(l), pending, t(chosen), &
                    a(before + 1), a(above + 1), s2)
                t(chosen) = t(at)
                norm(chosen) = norm(at)
                full(chosen) = full(at)
            end if
            t(at) = 0
            norm(at) = 0
            ajnorm = norm_of_squares(m - j + 1, a(above + j), s2)

            if (ajnorm /= 0) then
                if (a(above + j) < 0) ajnorm = -ajnorm
                if (pending) then
                    call multiply_panels(j, m, from, rest, a(before + 1), a(above + 1), ajnorm, open, a(after), &
                        t(first))
                else
                    call dot_panels(j, m, from, rest, a(above + 1), ajnorm, open, a(after), t(first))
                end if
                do l = 1, j + pad - first + 1
                    t(first - 1 + lane(l)) = 0
                end do
                call update_row(j, m, from, rest, a(above + 1), open, a(after), t(first), norm(first), full(first), &
                    renewals)
                if (renewals > 0) call renew_norms(j, m, from, rest, a(above + 1), open, a(after), t(first), &
                    norm(first), full(first))
            else if (pending) then
                call subtract_panels(j, m, from, rest, a(before + 1), open, a(after), t(first))
            end if
            pending = ajnorm /= 0
            rdiag(j) = -ajnorm
        end do
    end subroutine factorise

    !> Interleave the columns in panels, the first panel in open, and store their norms by slot; empty slots are zero.
    pure subroutine interleave(m, n, pad, a, open, norm)
        integer(c_int), intent(in)    :: m, n, pad
        real(dp),       intent(inout) :: a(m, n)
        real(dp),       intent(inout) :: open(lanes, m)
        real(dp),       intent(inout) :: norm(n + pad)
        integer(c_int) :: j

        do j = lanes - pad + 1, n, lanes
            call interleave_eight(m, a(1, j), open)
            call panel_norms(m, lanes, a(1, j), open, norm(j + pad:j + pad + lanes - 1))
            call copy(lanes * m, open, a(1, j))
        end do
        if (pad == 0) then
            call interleave_eight(m, a, open)
        else
            open(1:pad, :) = 0
            do j = 1, lanes - pad
                open(pad + j, :) = a(:, j)
            end do
        end if
        call panel_norms(m, lanes - pad, a, open, norm(1:lanes))
    end subroutine interleave

    !> p <- eight columns, row by row.
    pure subroutine interleave_eight(m, a, p)
        integer(c_int), intent(in)    :: m
        real(dp),       intent(in)    :: a(m, lanes)
        real(dp),       intent(inout) :: p(lanes, m)
        integer(c_int) :: i

        do i = 1, m
            p(1, i) = a(i, 1)
            p(2, i) = a(i, 2)
            p(3, i) = a(i, 3)
            p(4, i) = a(i, 4)
            p(5, i) = a(i, 5)
            p(6, i) = a(i, 6)
            p(7, i) = a(i, 7)
            p(8, i) = a(i, 8)
        end do
    end subroutine interleave_eight

    !> Norms of the columns of a panel.
    pure subroutine panel_norms(m, n, a, p, norm)
        integer(c_int), intent(in)    :: m, n
        real(dp),       intent(in)    :: a(m, n)           !< columns in the last n lanes
        real(dp),       intent(in)    :: p(lanes, m)       !< the panel
        real(dp),       intent(inout) :: norm(lanes)       !< 0 for empty lanes
        real(dp) :: squares(lanes)
        integer(c_int) :: j, l

        call square_panel(m, p, squares)
        norm = 0
        do j = 1, n
            l = lanes - n + j
            norm(l) = norm_of_squares(m, a(:, j), squares(l))
        end do
    end subroutine panel_norms

    !> The first slot, from `slot` on, of the columns of largest norm.
    pure function slot_of_pivot(slot, first, lane, norm) result(chosen)
        integer(c_int), intent(in) :: slot, first
        integer(c_int), intent(in) :: lane(lanes)       !< of the open panel, whose slots begin with first
        real(dp),       intent(in) :: norm(:)
        integer(c_int) :: chosen
        real(dp) :: largest
        integer(c_int) :: k

        chosen = slot
        largest = norm(first - 1 + lane(slot - first + 1))
        do k = slot + 1, first + lanes - 1
            if (norm(first - 1 + lane(k - first + 1)) > largest) then
                chosen = k
                largest = norm(first - 1 + lane(k - first + 1))
            end if
        end do
        do k = first + lanes, size(norm)
            if (norm(k) > largest) then
                chosen = k
                largest = norm(k)
            end if
        end do
    end function slot_of_pivot

    !> Column y <- a lane of open; then rows j to m: y <- y - t v.
    !>
    !> Bits: the product is rounded before it is subtracted; the squares add in increasing i. To norm_of_squares, s2 = 0
    !> means unknown.
    pure subroutine take_from_open(m, j, open, lane, pending, t, v, y, zero, s2)
        integer(c_int), intent(in)    :: m, j, lane
        real(dp),       intent(in)    :: open(lanes, m)
        logical,        intent(in)    :: pending
        real(dp),       intent(in)    :: t, v(m)       !< read if pending
        real(dp),       intent(inout) :: y(m)
        logical,        intent(in)    :: zero          !< whether y's norm is zero, so that its squares need no sum
        real(dp),       intent(out)   :: s2            !< sum of squares of rows j to m, small components as zero
        integer(c_int) :: i

        s2 = 0
        if (zero .and. .not. pending) then
            y = open(lane, :)
            return
        end if
        y(1:j - 1) = open(lane, 1:j - 1)
        do i = j, m
            y(i) = open(lane, i)
            if (pending) y(i) = y(i) - t * v(i)
            s2 = s2 + y(i) * merge(0.0_dp, y(i), abs(y(i)) <= rdwarf)
        end do
    end subroutine take_from_open

    !> As take_from_open, from a lane of another panel, which a lane of open replaces.
    pure subroutine take_from_panel(m, j, p, lane, open, open_lane, pending, t, v, y, s2)
        integer(c_int), intent(in)    :: m, j, lane, open_lane
        real(dp),       intent(inout) :: p(lanes, m)
        real(dp),       intent(in)    :: open(lanes, m)
        logical,        intent(in)    :: pending
        real(dp),       intent(in)    :: t, v(m)
        real(dp),       intent(inout) :: y(m)
        real(dp),       intent(out)   :: s2
        integer(c_int) :: i

        do i = 1, j - 1
            y(i) = p(lane, i)
            p(lane, i) = open(open_lane, i)
        end do
        s2 = 0
        do i = j, m
            y(i) = p(lane, i)
            p(lane, i) = open(open_lane, i)
            if (pending) y(i) = y(i) - t * v(i)
            s2 = s2 + y(i) * merge(0.0_dp, y(i), abs(y(i)) <= rdwarf)
        end do
    end subroutine take_from_panel

    !> Recompute in full the norms that update_row marked: of rows below j, as the pending reflector w will leave them.
    pure subroutine renew_norms(j, m, from, np, w, open, p, t, norm, full)
        integer(c_int), intent(in)    :: j, m, from, np
        real(dp),       intent(in)    :: w(m), open(lanes, m), p(lanes, m, np), t(lanes, 0:np)
        real(dp),       intent(inout) :: norm(lanes, 0:np), full(lanes, 0:np)
        integer(c_int) :: l, q

        do q = from, np
            do l = 1, lanes
                if (.not. norm(l, q) < 0) cycle
                if (q == 0) then
                    norm(l, q) = norm_of_difference(m - j, open(l, j + 1), lanes, t(l, q), w(j + 1))
                else
                    norm(l, q) = norm_of_difference(m - j, p(l, j + 1, q), lanes, t(l, q), w(j + 1))
                end if
                full(l, q) = norm(l, q)
            end do
        end do
    end subroutine renew_norms

    !> y <- x.
    pure subroutine copy(n, x, y)
        integer(c_int), intent(in)    :: n
        real(dp),       intent(in)    :: x(n)
        real(dp),       intent(inout) :: y(n)

        y = x
    end subroutine copy

end module qrfac_panels_module
