!> Dot products of a vector with the columns of a triangle.
module multiply_rt_module
    use, intrinsic :: iso_c_binding, only: c_int
    use machine_module, only: dp
    implicit none
    private
    public :: multiply_rt

contains

    !> y <- R'x.
    !>
    !> Four columns at a time: each sum is a chain of dependent additions, and four chains run in parallel.
    !>
    !> Bits: each sum runs in increasing i.
    pure subroutine multiply_rt(n, r, ldr, x, y)
        integer(c_int), intent(in)    :: n           !< order of R
        integer(c_int), intent(in)    :: ldr         !< leading dimension of r
        real(dp),       intent(in)    :: r(ldr, n)   !< R
        real(dp),       intent(in)    :: x(n)
        real(dp),       intent(inout) :: y(n)
        real(dp) :: s1, s2, s3, s4
        integer(c_int) :: i, j

        do j = 1, n - 3, 4
            s1 = 0
            s2 = 0
            s3 = 0
            s4 = 0
            do i = 1, j
                s1 = s1 + r(i, j) * x(i)
                s2 = s2 + r(i, j + 1) * x(i)
                s3 = s3 + r(i, j + 2) * x(i)
                s4 = s4 + r(i, j + 3) * x(i)
            end do
            s2 = s2 + r(j + 1, j + 1) * x(j + 1)
            s3 = s3 + r(j + 1, j + 2) * x(j + 1)
            s3 = s3 + r(j + 2, j + 2) * x(j + 2)
            s4 = s4 + r(j + 1, j + 3) * x(j + 1)
            s4 = s4 + r(j + 2, j + 3) * x(j + 2)
            s4 = s4 + r(j + 3, j + 3) * x(j + 3)
            y(j:j + 3) = [s1, s2, s3, s4]
        end do
        do j = n - mod(n, 4) + 1, n
            s1 = 0
            do i = 1, j
                s1 = s1 + r(i, j) * x(i)
            end do
            y(j) = s1
        end do
    end subroutine multiply_rt

end module multiply_rt_module
