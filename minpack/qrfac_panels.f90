!> QR factorisation with column pivoting, eight columns at a time.
!>
!> Columns lie interleaved in panels of eight, which fill the lanes of the vector registers; so eight dot products run
!> side by side, each in its own order. A column is numbered by its slot, column + pad, where pad empty slots in front
!> make the first panel whole: slot s is lane mod(s - 1, 8) + 1 of panel (s - 1) / 8.
!>
!> There is no second matrix. Panel q >= 1 lies in the memory of its own eight columns. The panel whose columns are about
!> to become reflectors is `open`, a copy: a finished column goes from there to its final place, in memory that no panel
!> needs any more.
module qrfac_panels_module
    use, intrinsic :: iso_c_binding, only: c_int
    use machine_module, only: dp, epsmch
    use enorm_module, only: norm_sums, norm_start, norm_add, norm_add_summed, norm_value, norm_block
    implicit none
    private
    public :: qrfac_panels, panels_lwork

    integer(c_int), parameter :: lanes = 8

    !> The inner loops, for the instruction set in use (instruction_sets.c); what they do is said in inner_loops.F90.
    interface
        pure subroutine multiply_panels(j, m, from, np, v, w, norm, open, p, t) bind(C, name="minpack_multiply_panels")
            import :: c_int, dp, lanes
            integer(c_int), value, intent(in)    :: j, m, from, np
            real(dp), value,       intent(in)    :: norm
            real(dp),              intent(in)    :: v(m)
            real(dp),              intent(inout) :: w(m), open(lanes, m), p(lanes, m, np), t(lanes, 0:np)
        end subroutine multiply_panels

        pure subroutine subtract_panels(j, m, from, np, v, open, p, t) bind(C, name="minpack_subtract_panels")
            import :: c_int, dp, lanes
            integer(c_int), value, intent(in)    :: j, m, from, np
            real(dp),              intent(in)    :: v(m), t(lanes, 0:np)
            real(dp),              intent(inout) :: open(lanes, m), p(lanes, m, np)
        end subroutine subtract_panels

        pure subroutine dot_panels(j, m, from, np, w, open, p, t) bind(C, name="minpack_dot_panels")
            import :: c_int, dp, lanes
            integer(c_int), value, intent(in)    :: j, m, from, np
            real(dp),              intent(in)    :: w(m), open(lanes, m), p(lanes, m, np)
            real(dp),              intent(inout) :: t(lanes, 0:np)
        end subroutine dot_panels

        pure subroutine update_row(j, m, from, np, w, epsmch, open, p, t, norm, full, renewals) &
                bind(C, name="minpack_update_row")
            import :: c_int, dp, lanes
            integer(c_int), value, intent(in)    :: j, m, from, np
            real(dp), value,       intent(in)    :: epsmch
            real(dp),              intent(in)    :: w(m), full(lanes, 0:np)
            real(dp),              intent(inout) :: open(lanes, m), p(lanes, m, np), t(lanes, 0:np), norm(lanes, 0:np)
            integer(c_int),        intent(inout) :: renewals
        end subroutine update_row

        pure subroutine square_panel(m, p, squares, smallest) bind(C, name="minpack_square_panel")
            import :: c_int, dp, lanes
            integer(c_int), value, intent(in)    :: m
            real(dp),              intent(in)    :: p(lanes, m)
            real(dp),              intent(inout) :: squares(lanes), smallest(lanes)
        end subroutine square_panel
    end interface

contains

    !> Length of qrfac_panels' work array.
    pure function panels_lwork(m, n) result(lwork)
        integer(c_int), intent(in) :: m, n
        integer(c_int) :: lwork

        lwork = lanes * (m + 3 * panels(n))
    end function panels_lwork

    !> Panels that n columns fill.
    pure function panels(n) result(np)
        integer(c_int), intent(in) :: n
        integer(c_int) :: np

        np = (n + lanes - 1) / lanes
    end function panels

    !> As qrfac, with pivoting, for 1 <= n <= m, where m n is at most huge(n).
    !>
    !> Bits: those of qrfac. Columns exchange their slots as they exchange their places there, so that of equal norms the
    !> same one is chosen.
    pure subroutine qrfac_panels(m, n, a, ipvt, rdiag, acnorm, work)
        integer(c_int), intent(in)    :: m                 !< rows of A
        integer(c_int), intent(in)    :: n                 !< columns of A
        real(dp),       intent(inout) :: a(m * n)          !< by columns; in: A; out: reflectors, strict triangle of R
        integer(c_int), intent(inout) :: ipvt(n)           !< column j of A P is column ipvt(j) of A
        real(dp),       intent(out)   :: rdiag(n)          !< diagonal of R
        real(dp),       intent(out)   :: acnorm(n)         !< norms of the columns of A
        real(dp),       intent(inout) :: work(panels_lwork(m, n))
        integer(c_int) :: at, np

        np = panels(n)
        at = lanes * m + 1
        call factorise(m, n, np, a, ipvt, rdiag, acnorm, work(1), work(at), work(at + lanes * np), &
            work(at + 2 * lanes * np))
    end subroutine qrfac_panels

    !> qrfac_panels with its work array in parts.
    pure subroutine factorise(m, n, np, a, ipvt, rdiag, acnorm, open, t, norm, full)
        integer(c_int), intent(in)    :: m, n, np
        real(dp),       intent(inout) :: a(m * n)
        integer(c_int), intent(inout) :: ipvt(n)
        real(dp),       intent(out)   :: rdiag(n), acnorm(n)
        real(dp),       intent(inout) :: open(lanes, m)
        real(dp),       intent(inout) :: t(lanes * np)     !< factors of the pending reflector, by slots
        real(dp),       intent(inout) :: norm(lanes * np)  !< norms of what is left of the columns, by slots
        real(dp),       intent(inout) :: full(lanes * np)  !< norms at the last full computation, by slots
        real(dp) :: ajnorm
        integer(c_int) :: pad       ! empty slots in front
        integer(c_int) :: above     ! a(above + i) is row i of column j
        integer(c_int) :: before    ! a(before + i) is row i of column j-1
        integer(c_int) :: first     ! slots of the open panel are first..first+7
        integer(c_int) :: after     ! the panels after it begin at a(after)
        integer(c_int) :: from, rest    ! panels that reflector j meets: open if from is 0, and rest more
        integer(c_int) :: j, renewals
        logical :: pending          ! reflector j-1 is still to be subtracted from rows j..m

        pad = lanes * np - n
        call interleave(m, n, pad, a, open, norm)
        full = norm
        t = 0
        do j = 1, n
            acnorm(j) = norm(j + pad)
            ipvt(j) = j
        end do
        pending = .false.
        do j = 1, n
            above = (j - 1) * m
            before = max(above - m, 0)
            first = j + pad - mod(j + pad - 1, lanes)
            from = merge(0, 1, j + pad < first + lanes - 1)
            rest = np - first / lanes - 1
            after = merge((first + lanes - 1 - pad) * m + 1, 1, rest > 0)

            if (j + pad == first .and. j > 1) call copy(lanes * m, a(above + 1), open)
            call take_pivot(m, n, j, pad, a, ipvt, open, t, norm, full, pending, ajnorm)
            if (ajnorm /= 0) then
                if (a(above + j) < 0) ajnorm = -ajnorm
                if (pending .and. j < n) then
                    call multiply_panels(j, m, from, rest, a(before + 1), a(above + 1), ajnorm, open, a(after), t(first))
                else
                    a(above + j:above + m) = a(above + j:above + m) / ajnorm
                    a(above + j) = a(above + j) + 1
                    call dot_panels(j, m, from, rest, a(above + 1), open, a(after), t(first))
                end if
                t(first:j + pad) = 0
                call update_row(j, m, from, rest, a(above + 1), epsmch, open, a(after), t(first), norm(first), &
                    full(first), renewals)
                if (renewals > 0) call renew_norms(j, m, from, rest, a(above + 1), open, a(after), t(first), norm(first), &
                    full(first))
            else if (pending) then
                call subtract_panels(j, m, from, rest, a(before + 1), open, a(after), t(first))
            end if
            pending = ajnorm /= 0
            rdiag(j) = -ajnorm
        end do
    end subroutine factorise

    !> Put the columns into panels, the first of them into open, and their norms into their slots; empty slots are zero.
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
        open(1:pad, :) = 0
        do j = 1, lanes - pad
            open(pad + j, :) = a(:, j)
        end do
        call panel_norms(m, lanes - pad, a, open, norm(1:lanes))
    end subroutine interleave

    !> p <- eight columns, row by row.
    pure subroutine interleave_eight(m, a, p)
        integer(c_int), intent(in)    :: m
        real(dp),       intent(in)    :: a(m, lanes)
        real(dp),       intent(inout) :: p(lanes, m)
        integer(c_int) :: i

        do i = 1, m
            p(:, i) = a(i, :)
        end do
    end subroutine interleave_eight

    !> Norms of the columns of a panel.
    pure subroutine panel_norms(m, n, a, p, norm)
        integer(c_int), intent(in)    :: m, n
        real(dp),       intent(in)    :: a(m, n)           !< columns in the last n lanes
        real(dp),       intent(in)    :: p(lanes, m)       !< the panel
        real(dp),       intent(inout) :: norm(lanes)       !< 0 for empty lanes
        real(dp) :: squares(lanes), smallest(lanes)
        type(norm_sums) :: sums
        integer(c_int) :: j

        call square_panel(m, p, squares, smallest)
        norm = 0
        do j = 1, n
            sums = norm_start(m)
            call norm_add_summed(sums, m, a(:, j), squares(lanes - n + j), smallest(lanes - n + j))
            norm(lanes - n + j) = norm_value(sums)
        end do
    end subroutine panel_norms

    !> The first of the columns of largest norm, brought up to date, becomes column j of `a`; its slot takes what column
    !> j's had, which is empty from now on: factor and norm 0.
    pure subroutine take_pivot(m, n, j, pad, a, ipvt, open, t, norm, full, pending, ajnorm)
        integer(c_int), intent(in)    :: m, n, j, pad
        real(dp),       intent(inout) :: a(m * n)
        integer(c_int), intent(inout) :: ipvt(n)
        real(dp),       intent(inout) :: open(lanes, m)
        real(dp),       intent(inout) :: t(n + pad), norm(n + pad), full(n + pad)
        logical,        intent(in)    :: pending
        real(dp),       intent(out)   :: ajnorm    !< norm of its rows j to m
        real(dp) :: factor, s2, smallest
        integer(c_int) :: above, before, chosen, k, lane, slot
        type(norm_sums) :: sums

        slot = j + pad
        chosen = slot
        do k = slot + 1, n + pad
            if (norm(k) > norm(chosen)) chosen = k
        end do
        factor = t(chosen)
        t(chosen) = t(slot)
        norm(chosen) = norm(slot)
        full(chosen) = full(slot)
        t(slot) = 0
        norm(slot) = 0
        k = ipvt(j)
        ipvt(j) = ipvt(chosen - pad)
        ipvt(chosen - pad) = k

        above = (j - 1) * m
        before = max(above - m, 0)
        slot = mod(slot - 1, lanes) + 1
        lane = mod(chosen - 1, lanes) + 1
        if (chosen - lane == j + pad - slot) then
            call take_from_open(m, j, open, lane, slot, pending, factor, a(before + 1), a(above + 1), s2, smallest)
        else
            call take_from_panel(m, j, a((chosen - lane - pad) * m + 1), lane, open, slot, pending, factor, &
                a(before + 1), a(above + 1), s2, smallest)
        end if
        sums = norm_start(m - j + 1)
        call norm_add_summed(sums, m - j + 1, a(above + j), s2, smallest)
        ajnorm = norm_value(sums)
    end subroutine take_pivot

    !> Column y <- lane of a panel, which takes a lane of open in its place; then rows j to m: y <- y - t v.
    pure subroutine take_from_panel(m, j, p, lane, open, open_lane, pending, t, v, y, s2, smallest)
        integer(c_int), intent(in)    :: m, j, lane, open_lane
        real(dp),       intent(inout) :: p(lanes, m)
        real(dp),       intent(in)    :: open(lanes, m)
        logical,        intent(in)    :: pending
        real(dp),       intent(in)    :: t, v(m)       !< v counts if pending
        real(dp),       intent(inout) :: y(m)
        real(dp),       intent(out)   :: s2            !< sum of the squares of rows j to m
        real(dp),       intent(out)   :: smallest      !< the least magnitude of them
        integer(c_int) :: i

        do i = 1, j - 1
            y(i) = p(lane, i)
            p(lane, i) = open(open_lane, i)
        end do
        s2 = 0
        smallest = huge(smallest)
        do i = j, m
            y(i) = p(lane, i)
            p(lane, i) = open(open_lane, i)
            if (pending) y(i) = y(i) - t * v(i)
            s2 = s2 + y(i)**2
            smallest = merge(abs(y(i)), smallest, abs(y(i)) < smallest)
        end do
    end subroutine take_from_panel

    !> As take_from_panel, from another lane of open or the same.
    pure subroutine take_from_open(m, j, open, lane, open_lane, pending, t, v, y, s2, smallest)
        integer(c_int), intent(in)    :: m, j, lane, open_lane
        real(dp),       intent(inout) :: open(lanes, m)
        logical,        intent(in)    :: pending
        real(dp),       intent(in)    :: t, v(m)
        real(dp),       intent(inout) :: y(m)
        real(dp),       intent(out)   :: s2, smallest
        integer(c_int) :: i

        do i = 1, j - 1
            y(i) = open(lane, i)
            open(lane, i) = open(open_lane, i)
        end do
        s2 = 0
        smallest = huge(smallest)
        do i = j, m
            y(i) = open(lane, i)
            open(lane, i) = open(open_lane, i)
            if (pending) y(i) = y(i) - t * v(i)
            s2 = s2 + y(i)**2
            smallest = merge(abs(y(i)), smallest, abs(y(i)) < smallest)
        end do
    end subroutine take_from_open

    !> Compute in full the norms that update_row has marked.
    pure subroutine renew_norms(j, m, from, np, w, open, p, t, norm, full)
        integer(c_int), intent(in)    :: j, m, from, np
        real(dp),       intent(in)    :: w(m), open(lanes, m), p(lanes, m, np), t(lanes, 0:np)
        real(dp),       intent(inout) :: norm(lanes, 0:np), full(lanes, 0:np)
        integer(c_int) :: l, q

        do q = from, np
            do l = 1, lanes
                if (.not. norm(l, q) < 0) cycle
                if (q == 0) then
                    norm(l, q) = norm_below(j, m, open, l, t(l, q), w)
                else
                    norm(l, q) = norm_below(j, m, p(:, :, q), l, t(l, q), w)
                end if
                full(l, q) = norm(l, q)
            end do
        end do
    end subroutine renew_norms

    !> Norm of a column below row j, as the pending reflector w will leave it.
    pure function norm_below(j, m, p, lane, t, w) result(norm)
        integer(c_int), intent(in) :: j, m, lane
        real(dp),       intent(in) :: p(lanes, m), t, w(m)
        real(dp) :: norm
        real(dp) :: y(norm_block)
        type(norm_sums) :: sums
        integer(c_int) :: i, length

        sums = norm_start(m - j)
        do i = j + 1, m, norm_block
            length = min(norm_block, m - i + 1)
            y(1:length) = p(lane, i:i + length - 1) - t * w(i:i + length - 1)
            call norm_add(sums, length, y)
        end do
        norm = norm_value(sums)
    end function norm_below

    !> y <- x.
    pure subroutine copy(n, x, y)
        integer(c_int), intent(in)    :: n
        real(dp),       intent(in)    :: x(n)
        real(dp),       intent(inout) :: y(n)

        y = x
    end subroutine copy

end module qrfac_panels_module
