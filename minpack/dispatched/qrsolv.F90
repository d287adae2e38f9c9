!> Least squares with a factorised matrix stacked on a diagonal.
module qrsolv_module
    use, intrinsic :: iso_c_binding, only: c_int, c_int64_t
    use machine_module, only: dp
    use dispatched_module, only: rows_at_once
    use checks_module, only: checking, check_sizes, check_qrsolv, fingerprint
    implicit none
    private
    public :: qrsolv

contains

    !> Solve A x = b, D x = 0 in the least-squares sense, given A P = Q R and Q'b.
    !>
    !> Givens rotations reduce R stacked on P'D P to an upper triangle S with P'(A'A + D D) P = S'S. If S is singular,
    !> P'x is zero from S's first zero diagonal entry on.
    !>
    !> Source: Moré, Garbow, Hillstrom, User guide for MINPACK-1, ANL-80-74, section on QRSOLV.
    pure subroutine qrsolv(n, r, ldr, ipvt, diag, qtb, x, sdiag, wa, work) bind(C, name="minpack_qrsolv" // SUFFIX)
        integer(c_int), value, intent(in)    :: n           !< order of R
        integer(c_int), value, intent(in)    :: ldr         !< leading dimension of r, ldr >= n
        real(dp),              intent(inout) :: r(ldr, n)   !< in: R; out: R, and S' strictly below the diagonal
        integer(c_int),        intent(in)    :: ipvt(n)     !< column j of A P is column ipvt(j) of A
        real(dp),              intent(in)    :: diag(n)     !< diagonal of D
        real(dp),              intent(in)    :: qtb(n)      !< first n entries of Q'b
        real(dp),              intent(inout) :: x(n)        !< solution
        real(dp),              intent(inout) :: sdiag(n)    !< diagonal of S
        real(dp),              intent(inout) :: wa(n)       !< work
        real(dp),              intent(inout) :: work(rows_at_once * n)
        real(dp) :: d(rows_at_once)
        integer(c_int64_t) :: r_before
        integer(c_int) :: j, k, rows

        if (checking) then
            call check_sizes(n, n, ldr, 0_c_int, 0_c_int)
            r_before = fingerprint(n, r, ldr)
        end if

        ! Build S in the lower triangle; x saves the diagonal of R.
        do j = 1, n
            do k = j, n
                r(k, j) = r(j, k)
            end do
            x(j) = r(j, j)
            wa(j) = qtb(j)
        end do

        do j = 1, n, rows_at_once
            rows = min(rows_at_once, n - j + 1)
            d = 0
            do k = 1, rows
                d(k) = diag(ipvt(j + k - 1))
            end do
            if (any(d /= 0)) call eliminate_rows(n, j, d, r, ldr, work, wa)
        end do
        do j = 1, n
            sdiag(j) = r(j, j)
            r(j, j) = x(j)
        end do

        call solve_triangle(n, r, ldr, sdiag, wa)
        do j = 1, n
            x(ipvt(j)) = wa(j)
        end do
        if (checking) call check_qrsolv(n, r, ldr, ipvt, diag, sdiag, r_before)
    end subroutine qrsolv

    !> Rotate rows into S, and the right-hand side with them; row l starts with one entry, d(l) in column j + l - 1.
    !>
    !> Row l runs one column behind row l - 1, so that the rotations of a step are independent.
    !>
    !> Bits: as if row by row. A rotation by a zero is skipped; of tan and cotan, the one of magnitude <= 1 is used.
    pure subroutine eliminate_rows(n, j, d, s, lds, rows, rhs)
        integer(c_int), value, intent(in)    :: n                       !< order of S
        integer(c_int), value, intent(in)    :: j                       !< the first row's first column
        integer(c_int), value, intent(in)    :: lds                     !< leading dimension of s
        real(dp),              intent(in)    :: d(rows_at_once)         !< 0: no row
        real(dp),              intent(inout) :: s(lds, n)               !< S' in the lower triangle, diagonal included
        real(dp),              intent(inout) :: rows(n, rows_at_once)   !< work: the rows as they fill in, from column j
        real(dp),              intent(inout) :: rhs(n)                  !< right-hand side
        real(dp) :: cosine(rows_at_once), sine(rows_at_once), rhs_row(rows_at_once), cotan, tan, temp
        integer(c_int) :: i, k, l, step

        rows(j:n, :) = 0
        rhs_row = 0
        do l = 1, min(rows_at_once, n - j + 1)
            rows(j + l - 1, l) = d(l)
        end do
        do step = j, n + min(rows_at_once, n - j + 1) - 1
            do l = max(step - n + 1, 1), min(step - j + 1, rows_at_once)
                k = step - l + 1
                if (rows(k, l) == 0) cycle
                if (abs(s(k, k)) >= abs(rows(k, l))) then
                    tan = rows(k, l) / s(k, k)
                    cosine(l) = 0.5_dp / sqrt(0.25_dp + 0.25_dp * tan**2)
                    sine(l) = cosine(l) * tan
                else
                    cotan = s(k, k) / rows(k, l)
                    sine(l) = 0.5_dp / sqrt(0.25_dp + 0.25_dp * cotan**2)
                    cosine(l) = sine(l) * cotan
                end if
            end do

            do l = max(step - n + 1, 1), min(step - j + 1, rows_at_once)
                k = step - l + 1
                if (rows(k, l) == 0) cycle
                s(k, k) = cosine(l) * s(k, k) + sine(l) * rows(k, l)
                temp = cosine(l) * rhs(k) + sine(l) * rhs_row(l)
                rhs_row(l) = -sine(l) * rhs(k) + cosine(l) * rhs_row(l)
                rhs(k) = temp
                do i = k + 1, n
                    temp = cosine(l) * s(i, k) + sine(l) * rows(i, l)
                    rows(i, l) = -sine(l) * s(i, k) + cosine(l) * rows(i, l)
                    s(i, k) = temp
                end do
            end do
        end do
    end subroutine eliminate_rows

    !> Solve S z = z for the leading non-singular part of S, with zeros for the rest.
    !>
    !> Bits: each sum runs in increasing i.
    pure subroutine solve_triangle(n, s, lds, sdiag, z)
        integer(c_int), intent(in)    :: n           !< order of S
        integer(c_int), intent(in)    :: lds         !< leading dimension of s
        real(dp),       intent(in)    :: s(lds, n)   !< S' strictly below the diagonal
        real(dp),       intent(in)    :: sdiag(n)    !< diagonal of S
        real(dp),       intent(inout) :: z(n)        !< in: right-hand side; out: solution
        real(dp) :: total
        integer(c_int) :: i, j, nsing

        nsing = n
        do j = 1, n
            if (sdiag(j) == 0 .and. nsing == n) nsing = j - 1
            if (nsing < n) z(j) = 0
        end do
        do j = nsing, 1, -1
            total = 0
            do i = j + 1, nsing
                total = total + s(i, j) * z(i)
            end do
            z(j) = (z(j) - total) / sdiag(j)
        end do
    end subroutine solve_triangle

end module qrsolv_module
