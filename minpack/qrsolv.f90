!> Least squares with a diagonal under a factorised matrix.
module qrsolv_module
    use, intrinsic :: iso_c_binding, only: c_int, c_int64_t
    use machine_module, only: dp
    use checks_module, only: checking, check_sizes, check_qrsolv, fingerprint
    implicit none
    private
    public :: qrsolv, rows_at_once

    integer(c_int), parameter :: rows_at_once = 4

    !> The inner loops, for the instruction set in use (instruction_sets.c); what they do is said in inner_loops.F90.
    interface
        pure subroutine eliminate_rows(n, j, d, s, lds, rows, rhs) bind(C, name="minpack_eliminate_rows")
            import :: c_int, dp, rows_at_once
            integer(c_int), value, intent(in)    :: n, j, lds
            real(dp),              intent(in)    :: d(rows_at_once)
            real(dp),              intent(inout) :: s(lds, n), rows(n, rows_at_once), rhs(n)
        end subroutine eliminate_rows
    end interface

contains

    !> Solve A x = b, D x = 0 in the least-squares sense, given A P = Q R and Q'b.
    !>
    !> Givens rotations turn R over P'D P into an upper triangle S with P'(A'A + D D) P = S'S. A singular S gives the
    !> solution with zeros after the first zero of its diagonal.
    !>
    !> Source: Moré, Garbow, Hillstrom, User guide for MINPACK-1, ANL-80-74, section on QRSOLV.
    pure subroutine qrsolv(n, r, ldr, ipvt, diag, qtb, x, sdiag, wa, work) bind(C, name="minpack_qrsolv")
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

        ! S is built in the lower triangle; x keeps the diagonal of R meanwhile.
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
