!> Least squares with a diagonal under a factorised matrix.
module qrsolv_module
    use, intrinsic :: iso_c_binding, only: c_int
    use machine_module, only: dp
    implicit none
    private
    public :: qrsolv

contains

    !> Solve A x = b, D x = 0 in the least-squares sense, given A P = Q R and Q'b.
    !>
    !> Givens rotations turn R over P'D P into an upper triangle S with P'(A'A + D D) P = S'S. A singular S gives the
    !> solution with zeros after the first zero of its diagonal.
    !>
    !> Source: Moré, Garbow, Hillstrom, User guide for MINPACK-1, ANL-80-74, section on QRSOLV.
    pure subroutine qrsolv(n, r, ldr, ipvt, diag, qtb, x, sdiag, wa) bind(C, name="minpack_qrsolv")
        integer(c_int), value, intent(in)    :: n           !< order of R
        integer(c_int), value, intent(in)    :: ldr         !< leading dimension of r, ldr >= n
        real(dp),              intent(inout) :: r(ldr, n)   !< in: R; out: R, and S' strictly below the diagonal
        integer(c_int),        intent(in)    :: ipvt(n)     !< column j of A P is column ipvt(j) of A
        real(dp),              intent(in)    :: diag(n)     !< diagonal of D
        real(dp),              intent(in)    :: qtb(n)      !< first n entries of Q'b
        real(dp),              intent(inout) :: x(n)        !< solution
        real(dp),              intent(inout) :: sdiag(n)    !< diagonal of S
        real(dp),              intent(inout) :: wa(n)       !< work
        integer(c_int) :: j, k

        ! S is built in the lower triangle; x keeps the diagonal of R meanwhile.
        do j = 1, n
            do k = j, n
                r(k, j) = r(j, k)
            end do
            x(j) = r(j, j)
            wa(j) = qtb(j)
        end do

        do j = 1, n
            if (diag(ipvt(j)) /= 0) call eliminate_row(n, j, diag(ipvt(j)), r, ldr, sdiag, wa)
            sdiag(j) = r(j, j)
            r(j, j) = x(j)
        end do

        call solve_triangle(n, r, ldr, sdiag, wa)
        do j = 1, n
            x(ipvt(j)) = wa(j)
        end do
    end subroutine qrsolv

    !> Rotate the row of D that holds d in column j into S, and the right-hand side with it.
    !>
    !> Bits: a rotation by a zero is skipped; the rotation's smaller ratio decides which of tan and cotan is used.
    pure subroutine eliminate_row(n, j, d, s, lds, row, rhs)
        integer(c_int), intent(in)    :: n           !< order of S
        integer(c_int), intent(in)    :: j           !< the row's first column
        integer(c_int), intent(in)    :: lds         !< leading dimension of s
        real(dp),       intent(in)    :: d           !< the row's only entry, d /= 0
        real(dp),       intent(inout) :: s(lds, n)   !< S' in the lower triangle, diagonal included
        real(dp),       intent(inout) :: row(n)      !< work: the row as it fills in, entries j..n
        real(dp),       intent(inout) :: rhs(n)      !< right-hand side
        real(dp) :: cosine, sine, cotan, tan, temp, rhs_row
        integer(c_int) :: i, k

        row(j:n) = 0
        row(j) = d
        rhs_row = 0
        do k = j, n
            if (row(k) == 0) cycle
            if (abs(s(k, k)) >= abs(row(k))) then
                tan = row(k) / s(k, k)
                cosine = 0.5_dp / sqrt(0.25_dp + 0.25_dp * tan**2)
                sine = cosine * tan
            else
                cotan = s(k, k) / row(k)
                sine = 0.5_dp / sqrt(0.25_dp + 0.25_dp * cotan**2)
                cosine = sine * cotan
            end if
            s(k, k) = cosine * s(k, k) + sine * row(k)
            temp = cosine * rhs(k) + sine * rhs_row
            rhs_row = -sine * rhs(k) + cosine * rhs_row
            rhs(k) = temp
            do i = k + 1, n
                temp = cosine * s(i, k) + sine * row(i)
                row(i) = -sine * s(i, k) + cosine * row(i)
                s(i, k) = temp
            end do
        end do
    end subroutine eliminate_row

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
