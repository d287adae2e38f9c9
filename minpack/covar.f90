!> The covariance of a least-squares solution.
module covar_module
    use, intrinsic :: iso_c_binding, only: c_int
    use machine_module, only: dp
    use checks_module, only: checking, check_sizes, check_covar
    implicit none
    private
    public :: covar

contains

    !> (A'A)^-1 from A P = Q R: the inverse of R'R with rows and columns permuted back by P.
    !>
    !> If R is singular to tol, the rows and columns of its dependent part are zero.
    !>
    !> Source: netlib's MINPACK, routine COVAR; ANL-80-74 has none.
    !> Bits: each entry adds its terms one by one, in column order.
    pure subroutine covar(n, r, ldr, ipvt, tol, rank, wa) bind(C, name="minpack_covar")
        integer(c_int), value, intent(in)    :: n           !< order of R, n >= 1
        integer(c_int), value, intent(in)    :: ldr         !< leading dimension of r, ldr >= n
        real(dp),              intent(inout) :: r(ldr, n)   !< in: R; out: the whole symmetric covariance
        integer(c_int),        intent(in)    :: ipvt(n)     !< column j of A P is column ipvt(j) of A
        real(dp), value,       intent(in)    :: tol         !< R is singular from the first |r(k,k)| <= tol |r(1,1)|
        integer(c_int),        intent(out)   :: rank        !< columns before that one
        real(dp),              intent(inout) :: wa(n)       !< work: the diagonal

        if (checking) call check_sizes(n, n, ldr, 0_c_int, 0_c_int)
        call invert_triangle(n, r, ldr, tol * abs(r(1, 1)), rank)
        call multiply_by_transpose(rank, r, ldr)
        call unpermute(n, rank, r, ldr, ipvt, wa)
        if (checking) call check_covar(n, r, ldr, ipvt, rank)
    end subroutine covar

    !> R <- R^-1 in the upper triangle of the leading non-singular part, column by column.
    pure subroutine invert_triangle(n, r, ldr, tolr, rank)
        integer(c_int), intent(in)    :: n           !< order of R
        integer(c_int), intent(in)    :: ldr         !< leading dimension of r
        real(dp),       intent(inout) :: r(ldr, n)   !< R, its inverse
        real(dp),       intent(in)    :: tolr        !< diagonal entries up to this size count as zero
        integer(c_int), intent(out)   :: rank        !< order of the part inverted
        real(dp) :: t(4)
        integer(c_int) :: j, k, l

        rank = 0
        do k = 1, n
            if (abs(r(k, k)) <= tolr) return
            r(k, k) = 1 / r(k, k)
            do j = 1, k - 1, 4
                ! Column j + l - 1 has rows up to j + l - 1.
                t = 0
                do l = 1, min(4, k - j)
                    t(l) = -(r(k, k) * r(j + l - 1, k))
                    r(j + l - 1, k) = 0
                    r(j:j + l - 1, k) = r(j:j + l - 1, k) + t(l) * r(j:j + l - 1, j + l - 1)
                end do
                call add_columns(j - 1, min(4, k - j), t, r(1, j), ldr, r(1, k))
            end do
            rank = k
        end do
    end subroutine invert_triangle

    !> U <- U U' in the upper triangle, column by column.
    pure subroutine multiply_by_transpose(n, u, ldu)
        integer(c_int), intent(in)    :: n           !< order of U
        integer(c_int), intent(in)    :: ldu         !< leading dimension of u
        real(dp),       intent(inout) :: u(ldu, n)   !< upper triangle
        real(dp) :: t(4)
        integer(c_int) :: columns, j, k

        do j = 1, n
            u(1:j, j) = u(j, j) * u(1:j, j)
            do k = j + 1, n, 4
                columns = min(4, n - k + 1)
                t(1:columns) = u(j, k:k + columns - 1)
                call add_columns(j, columns, t, u(1, k), ldu, u(1, j))
            end do
        end do
    end subroutine multiply_by_transpose

    !> y <- y + A t, for up to four columns of A; four at once read and write y only once.
    pure subroutine add_columns(m, n, t, a, lda, y)
        integer(c_int), intent(in)    :: m           !< length of y
        integer(c_int), intent(in)    :: n           !< columns
        integer(c_int), intent(in)    :: lda         !< leading dimension of a
        real(dp),       intent(in)    :: t(4)
        real(dp),       intent(in)    :: a(lda, n)
        real(dp),       intent(inout) :: y(m)
        integer(c_int) :: i, l

        if (n == 4) then
            do i = 1, m
                y(i) = (((y(i) + t(1) * a(i, 1)) + t(2) * a(i, 2)) + t(3) * a(i, 3)) + t(4) * a(i, 4)
            end do
        else
            do l = 1, n
                y = y + t(l) * a(1:m, l)
            end do
        end if
    end subroutine add_columns

    !> C <- P C P', both triangles from the upper one; zeros beyond rank.
    pure subroutine unpermute(n, rank, c, ldc, ipvt, wa)
        integer(c_int), intent(in)    :: n           !< order of C
        integer(c_int), intent(in)    :: rank        !< rows and columns after it become zero
        integer(c_int), intent(in)    :: ldc         !< leading dimension of c
        real(dp),       intent(inout) :: c(ldc, n)   !< in: C in the upper triangle; out: P C P'
        integer(c_int), intent(in)    :: ipvt(n)     !< P
        real(dp),       intent(inout) :: wa(n)       !< work: the diagonal
        integer(c_int) :: i, j

        ! Collect the result in the strict lower triangle and wa, where nothing is read.
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
