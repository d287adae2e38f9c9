!> The covariance of a least-squares solution.
module covar_module
    use, intrinsic :: iso_c_binding, only: c_int
    use machine_module, only: dp
    implicit none
    private
    public :: covar

contains

    !> (A'A)^-1 from A P = Q R: the inverse of R'R with rows and columns put back by P.
    !>
    !> If R is singular to tol, the rows and columns of its dependent part are zero.
    !>
    !> Source: Moré, Garbow, Hillstrom, User guide for MINPACK-1, ANL-80-74, section on COVAR.
    pure subroutine covar(n, r, ldr, ipvt, tol, rank, wa) bind(C, name="minpack_covar")
        integer(c_int), value, intent(in)    :: n           !< order of R, n >= 1
        integer(c_int), value, intent(in)    :: ldr         !< leading dimension of r, ldr >= n
        real(dp),              intent(inout) :: r(ldr, n)   !< in: R; out: the whole symmetric covariance
        integer(c_int),        intent(in)    :: ipvt(n)     !< column j of A P is column ipvt(j) of A
        real(dp), value,       intent(in)    :: tol         !< R is singular from the first |r(k,k)| <= tol |r(1,1)|
        integer(c_int),        intent(out)   :: rank        !< columns before that one
        real(dp),              intent(inout) :: wa(n)       !< work: the diagonal

        call invert_triangle(n, r, ldr, tol * abs(r(1, 1)), rank)
        call multiply_by_transpose(rank, r, ldr)
        call unpermute(n, rank, r, ldr, ipvt, wa)
    end subroutine covar

    !> R <- R^-1 in the upper triangle of the leading non-singular part, column by column.
    pure subroutine invert_triangle(n, r, ldr, tolr, rank)
        integer(c_int), intent(in)    :: n           !< order of R
        integer(c_int), intent(in)    :: ldr         !< leading dimension of r
        real(dp),       intent(inout) :: r(ldr, n)   !< R, its inverse
        real(dp),       intent(in)    :: tolr        !< a diagonal entry up to this size is zero
        integer(c_int), intent(out)   :: rank        !< order of the part inverted
        real(dp) :: temp
        integer(c_int) :: j, k

        rank = 0
        do k = 1, n
            if (abs(r(k, k)) <= tolr) return
            r(k, k) = 1 / r(k, k)
            do j = 1, k - 1
                temp = r(k, k) * r(j, k)
                r(j, k) = 0
                r(1:j, k) = r(1:j, k) - temp * r(1:j, j)
            end do
            rank = k
        end do
    end subroutine invert_triangle

    !> U <- U U' in the upper triangle.
    pure subroutine multiply_by_transpose(n, u, ldu)
        integer(c_int), intent(in)    :: n           !< order of U
        integer(c_int), intent(in)    :: ldu         !< leading dimension of u
        real(dp),       intent(inout) :: u(ldu, n)   !< upper triangle
        integer(c_int) :: j, k

        do k = 1, n
            do j = 1, k - 1
                u(1:j, j) = u(1:j, j) + u(j, k) * u(1:j, k)
            end do
            u(1:k, k) = u(k, k) * u(1:k, k)
        end do
    end subroutine multiply_by_transpose

    !> C <- P C P' on both triangles, from the upper one; zeros beyond rank.
    pure subroutine unpermute(n, rank, c, ldc, ipvt, wa)
        integer(c_int), intent(in)    :: n           !< order of C
        integer(c_int), intent(in)    :: rank        !< rows and columns after it become zero
        integer(c_int), intent(in)    :: ldc         !< leading dimension of c
        real(dp),       intent(inout) :: c(ldc, n)   !< in: C in the upper triangle; out: P C P'
        integer(c_int), intent(in)    :: ipvt(n)     !< P
        real(dp),       intent(inout) :: wa(n)       !< work: the diagonal
        integer(c_int) :: i, j

        ! The result gathers in the strict lower triangle and wa: nothing is read there.
        do j = 1, n
            if (j > rank) c(1:j, j) = 0
            wa(ipvt(j)) = c(j, j)
            do i = 1, j - 1
                c(max(ipvt(i), ipvt(j)), min(ipvt(i), ipvt(j))) = c(i, j)
            end do
        end do
        do j = 1, n
            c(1:j - 1, j) = c(j, 1:j - 1)
            c(j, j) = wa(j)
        end do
    end subroutine unpermute

end module covar_module
