!> Operations on panels, for qrfac_panels.
!>
!> A panel is eight interleaved columns, so that the eight entries of a row are contiguous and fill the lanes of a
!> vector register. The routines act on rows j to m of panels `from` to np: panel 0 is `open`, and panels 1 to np, which
!> follow it, are contiguous in p.
!>
!> Bits: lanes never mix. Each product is rounded before it is subtracted or added (no contraction), and each sum runs
!> in increasing i, so that every instruction set gives the same bits.
module panels_module
    use, intrinsic :: iso_c_binding, only: c_int
    use machine_module, only: dp, epsmch
    use enorm_module, only: rdwarf
    implicit none
    private
    public :: lanes, multiply_panels, subtract_panels, dot_panels, square_panel, update_row

    integer(c_int), parameter :: lanes = 8
    integer(c_int), parameter :: block = 32     !< rows whose quotients are computed at once

contains

    !> For every column y of the panels: y <- y - t v, then t <- sum of w(i) y(i).
    !>
    !> w: in a column, out its reflector, w / norm with 1 added to its first entry. The divisions overlap the sums of
    !> the first panels, whose additions wait for each other, and so take no extra time.
    pure subroutine multiply_panels(j, m, from, np, v, w, norm, open, p, t)
        integer(c_int), value, intent(in)    :: j, m, from, np
        real(dp), value,       intent(in)    :: norm
        real(dp),              intent(in)    :: v(m)
        real(dp),              intent(inout) :: w(m)
        real(dp),              intent(inout) :: open(lanes, m)
        real(dp),              intent(inout) :: p(lanes, m, np)
        real(dp),              intent(inout) :: t(lanes, 0:np)
        integer(c_int) :: q
        logical :: scale        ! w is still the column

        q = 1
        scale = .true.
        if (from == 0) then
            if (np == 0) then
                call multiply_one(j, m, v, w, norm, scale, open, t(:, 0))
            else if (np == 1 .or. PANELS_AT_ONCE == 2 .or. np == 3) then
                call multiply_two(j, m, v, w, norm, scale, open, p(:, :, 1), t(:, 0:1))
                q = 2
            else
                call multiply_three(j, m, v, w, norm, scale, open, p(:, :, 1), p(:, :, 2), t(:, 0:2))
                q = 3
            end if
            scale = .false.
        end if

        ! Split four into two and two: a single one would wait for its own additions.
        do while (q <= np)
            if (q == np) then
                call multiply_one(j, m, v, w, norm, scale, p(:, :, q), t(:, q))
                q = q + 1
            else if (q + 1 == np .or. PANELS_AT_ONCE == 2 .or. q + 3 == np) then
                call multiply_two(j, m, v, w, norm, scale, p(:, :, q), p(:, :, q + 1), t(:, q:q + 1))
                q = q + 2
            else
                call multiply_three(j, m, v, w, norm, scale, p(:, :, q), p(:, :, q + 1), p(:, :, q + 2), t(:, q:q + 2))
                q = q + 3
            end if
            scale = .false.
        end do
        if (scale) call divide(j, m, j, norm, w)
    end subroutine multiply_panels

    !> As multiply_panels, for one panel; w becomes a reflector if scale is set.
    pure subroutine multiply_one(j, m, v, w, norm, scale, p, t)
        integer(c_int), intent(in)    :: j, m
        real(dp),       intent(in)    :: v(m), norm
        real(dp),       intent(inout) :: w(m)
        logical,        intent(in)    :: scale
        real(dp),       intent(inout) :: p(lanes, m)
        real(dp),       intent(inout) :: t(lanes)
        real(dp) :: s(lanes), factor(lanes), vi, wi, y
        integer(c_int) :: i, l, last, start

        factor = t
        s = 0
        do start = j, m, block
            last = min(start + block - 1, m)
            if (scale) call divide(start, last, j, norm, w)
            do i = start, last
                vi = v(i)
                wi = w(i)
                !$omp simd private(y)
                do l = 1, lanes
                    y = p(l, i) - factor(l) * vi
                    p(l, i) = y
                    s(l) = s(l) + wi * y
                end do
            end do
        end do
        t = s
    end subroutine multiply_one

    !> As multiply_one, for two panels, whose additions overlap.
    pure subroutine multiply_two(j, m, v, w, norm, scale, p1, p2, t)
        integer(c_int), intent(in)    :: j, m
        real(dp),       intent(in)    :: v(m), norm
        real(dp),       intent(inout) :: w(m)
        logical,        intent(in)    :: scale
        real(dp),       intent(inout) :: p1(lanes, m), p2(lanes, m)
        real(dp),       intent(inout) :: t(lanes, 2)
        real(dp) :: s1(lanes), s2(lanes), f1(lanes), f2(lanes), vi, wi, y
        integer(c_int) :: i, l, last, start

        f1 = t(:, 1)
        f2 = t(:, 2)
        s1 = 0
        s2 = 0
        do start = j, m, block
            last = min(start + block - 1, m)
            if (scale) call divide(start, last, j, norm, w)
            do i = start, last
                vi = v(i)
                wi = w(i)
                !$omp simd private(y)
                do l = 1, lanes
                    y = p1(l, i) - f1(l) * vi
                    p1(l, i) = y
                    s1(l) = s1(l) + wi * y
                    y = p2(l, i) - f2(l) * vi
                    p2(l, i) = y
                    s2(l) = s2(l) + wi * y
                end do
            end do
        end do
        t(:, 1) = s1
        t(:, 2) = s2
    end subroutine multiply_two

    !> As multiply_two, for three panels.
    pure subroutine multiply_three(j, m, v, w, norm, scale, p1, p2, p3, t)
        integer(c_int), intent(in)    :: j, m
        real(dp),       intent(in)    :: v(m), norm
        real(dp),       intent(inout) :: w(m)
        logical,        intent(in)    :: scale
        real(dp),       intent(inout) :: p1(lanes, m), p2(lanes, m), p3(lanes, m)
        real(dp),       intent(inout) :: t(lanes, 3)
        real(dp) :: s1(lanes), s2(lanes), s3(lanes), f1(lanes), f2(lanes), f3(lanes), vi, wi, y
        integer(c_int) :: i, l, last, start

        f1 = t(:, 1)
        f2 = t(:, 2)
        f3 = t(:, 3)
        s1 = 0
        s2 = 0
        s3 = 0
        do start = j, m, block
            last = min(start + block - 1, m)
            if (scale) call divide(start, last, j, norm, w)
            do i = start, last
                vi = v(i)
                wi = w(i)
                !$omp simd private(y)
                do l = 1, lanes
                    y = p1(l, i) - f1(l) * vi
                    p1(l, i) = y
                    s1(l) = s1(l) + wi * y
                    y = p2(l, i) - f2(l) * vi
                    p2(l, i) = y
                    s2(l) = s2(l) + wi * y
                    y = p3(l, i) - f3(l) * vi
                    p3(l, i) = y
                    s3(l) = s3(l) + wi * y
                end do
            end do
        end do
        t(:, 1) = s1
        t(:, 2) = s2
        t(:, 3) = s3
    end subroutine multiply_three

    !> Turn rows first to last of column w into those of the reflector that begins in row j.
    pure subroutine divide(first, last, j, norm, w)
        integer(c_int), intent(in)    :: first, last, j
        real(dp),       intent(in)    :: norm
        real(dp),       intent(inout) :: w(last)
        integer(c_int) :: i

        !$omp simd
        do i = first, last
            w(i) = w(i) / norm
        end do
        if (first == j) w(j) = w(j) + 1
    end subroutine divide

    !> For every column y of the panels: y <- y - t v.
    pure subroutine subtract_panels(j, m, from, np, v, open, p, t)
        integer(c_int), value, intent(in)    :: j, m, from, np
        real(dp),              intent(in)    :: v(m)
        real(dp),              intent(inout) :: open(lanes, m)
        real(dp),              intent(inout) :: p(lanes, m, np)
        real(dp),              intent(in)    :: t(lanes, 0:np)
        integer(c_int) :: q

        if (from == 0) call subtract_one(j, m, v, open, t(:, 0))
        do q = 1, np
            call subtract_one(j, m, v, p(:, :, q), t(:, q))
        end do
    end subroutine subtract_panels

    !> As subtract_panels, for one panel.
    pure subroutine subtract_one(j, m, v, p, t)
        integer(c_int), intent(in)    :: j, m
        real(dp),       intent(in)    :: v(m)
        real(dp),       intent(inout) :: p(lanes, m)
        real(dp),       intent(in)    :: t(lanes)
        integer(c_int) :: i, l

        do i = j, m
            !$omp simd
            do l = 1, lanes
                p(l, i) = p(l, i) - t(l) * v(i)
            end do
        end do
    end subroutine subtract_one

    !> As multiply_panels, with no reflector to subtract.
    pure subroutine dot_panels(j, m, from, np, w, norm, open, p, t)
        integer(c_int), value, intent(in)    :: j, m, from, np
        real(dp), value,       intent(in)    :: norm
        real(dp),              intent(inout) :: w(m)
        real(dp),              intent(in)    :: open(lanes, m)
        real(dp),              intent(in)    :: p(lanes, m, np)
        real(dp),              intent(inout) :: t(lanes, 0:np)
        integer(c_int) :: q

        call divide(j, m, j, norm, w)
        if (from == 0) call dot_one(j, m, w, open, t(:, 0))
        do q = 1, np
            call dot_one(j, m, w, p(:, :, q), t(:, q))
        end do
    end subroutine dot_panels

    !> As dot_panels, for one panel and a reflector w.
    pure subroutine dot_one(j, m, w, p, t)
        integer(c_int), intent(in)    :: j, m
        real(dp),       intent(in)    :: w(m)
        real(dp),       intent(in)    :: p(lanes, m)
        real(dp),       intent(inout) :: t(lanes)
        real(dp) :: s(lanes)
        integer(c_int) :: i, l

        s = 0
        do i = j, m
            !$omp simd
            do l = 1, lanes
                s(l) = s(l) + w(i) * p(l, i)
            end do
        end do
        t = s
    end subroutine dot_one

    !> For every column y of the panels, with t its dot product with a reflector w: t <- t / w(j), apply w to y(j), and
    !> downdate the norm to the rows below j.
    !>
    !> Bits: the downdate loses digits; a norm far below the last one computed in full, or a NaN in that test, marks the
    !> norm to be recomputed in full. A norm of zero stays. Each quotient is rounded before it is squared.
    pure subroutine update_row(j, m, from, np, w, open, p, t, norm, full, renewals)
        integer(c_int), value, intent(in)    :: j, m, from, np
        real(dp),              intent(in)    :: w(m)
        real(dp),              intent(inout) :: open(lanes, m)
        real(dp),              intent(inout) :: p(lanes, m, np)
        real(dp),              intent(inout) :: t(lanes, 0:np)
        real(dp),              intent(inout) :: norm(lanes, 0:np)   !< norms; out: -1 if to be recomputed
        real(dp),              intent(in)    :: full(lanes, 0:np)   !< norms at their last full computation
        integer(c_int),        intent(inout) :: renewals            !< number of norms to be recomputed
        integer(c_int) :: q

        renewals = 0
        if (from == 0) call update_one(w(j), open(:, j), t(:, 0), norm(:, 0), full(:, 0), renewals)
        do q = 1, np
            call update_one(w(j), p(:, j, q), t(:, q), norm(:, q), full(:, q), renewals)
        end do
    end subroutine update_row

    !> As update_row, for row j of one panel.
    pure subroutine update_one(wj, y, t, norm, full, renewals)
        real(dp),       intent(in)    :: wj
        real(dp),       intent(inout) :: y(lanes), t(lanes), norm(lanes)
        real(dp),       intent(in)    :: full(lanes)
        integer(c_int), intent(inout) :: renewals
        real(dp) :: fallen, rest
        integer(c_int) :: l
        logical :: renew

        ! Never divide by a norm of zero: 0 / 0 would raise the processor's flag, and trap if traps are enabled.
        !$omp simd private(rest, fallen, renew) reduction(+: renewals)
        do l = 1, lanes
            t(l) = t(l) / wj
            y(l) = y(l) - t(l) * wj
            rest = 1 - (y(l) / merge(1.0_dp, norm(l), norm(l) == 0))**2
            fallen = norm(l) * sqrt(merge(rest, 0.0_dp, rest > 0))
            renew = norm(l) /= 0 .and. .not. 0.05_dp * (fallen / merge(1.0_dp, full(l), norm(l) == 0))**2 > epsmch
            norm(l) = merge(norm(l), merge(-1.0_dp, fallen, renew), norm(l) == 0)
            renewals = renewals + merge(1, 0, renew)
        end do
    end subroutine update_one

    !> Sum of squares of every column of a panel, in increasing i; components of at most rdwarf count as zero.
    pure subroutine square_panel(m, p, squares)
        integer(c_int), value, intent(in)    :: m
        real(dp),              intent(in)    :: p(lanes, m)
        real(dp),              intent(inout) :: squares(lanes)
        real(dp) :: s(lanes), y
        integer(c_int) :: i, l

        s = 0
        do i = 1, m
            !$omp simd private(y)
            do l = 1, lanes
                y = p(l, i)
                s(l) = s(l) + y * merge(0.0_dp, y, abs(y) <= rdwarf)
            end do
        end do
        squares = s
    end subroutine square_panel

end module panels_module
