!> QR factorisation with column pivoting.
module qrfac_module
    use, intrinsic :: iso_c_binding, only: c_int
    use machine_module, only: dp, epsmch, larger
    use enorm_module, only: enorm
    implicit none
    private
    public :: qrfac

contains

    !> Factorise A P = Q R by Householder reflectors, the column of largest remaining norm first.
    !>
    !> Column j of `a` becomes reflector j (on and below the diagonal) under the entries of R above the diagonal;
    !> the diagonal of R goes to rdiag.
    !>
    !> Source: Moré, Garbow, Hillstrom, User guide for MINPACK-1, ANL-80-74, section on QRFAC.
    !> Bits: the pivot is the first of the columns of largest partial norm; whole columns are exchanged.
    pure subroutine qrfac(m, n, a, lda, pivot, ipvt, rdiag, acnorm, wa) bind(C, name="minpack_qrfac")
        integer(c_int), value, intent(in)    :: m           !< rows of A, m >= 0
        integer(c_int), value, intent(in)    :: n           !< columns of A, n >= 0
        integer(c_int), value, intent(in)    :: lda         !< leading dimension of a, lda >= m
        integer(c_int), value, intent(in)    :: pivot       !< 0: P is the identity and ipvt is not touched
        real(dp),              intent(inout) :: a(lda, n)   !< in: A; out: reflectors and strict upper triangle of R
        integer(c_int),        intent(inout) :: ipvt(n)     !< column j of A P is column ipvt(j) of A
        real(dp),              intent(out)   :: rdiag(n)    !< diagonal of R
        real(dp),              intent(out)   :: acnorm(n)   !< norms of the columns of A
        real(dp),              intent(inout) :: wa(n)       !< work: norms at the last full computation
        integer(c_int) :: j, k, kmax
        real(dp) :: ajnorm

        do j = 1, n
            acnorm(j) = enorm(m, a(1:m, j))
            rdiag(j) = acnorm(j)
            wa(j) = rdiag(j)
            if (pivot /= 0) ipvt(j) = j
        end do

        do j = 1, min(m, n)
            if (pivot /= 0) then
                kmax = j
                do k = j, n
                    if (rdiag(k) > rdiag(kmax)) kmax = k
                end do
                if (kmax /= j) then
                    call exchange_columns(m, a(1:m, j), a(1:m, kmax))
                    rdiag(kmax) = rdiag(j)
                    wa(kmax) = wa(j)
                    k = ipvt(j)
                    ipvt(j) = ipvt(kmax)
                    ipvt(kmax) = k
                end if
            end if

            ajnorm = enorm(m - j + 1, a(j:m, j))
            if (ajnorm /= 0) then
                if (a(j, j) < 0) ajnorm = -ajnorm
                a(j:m, j) = a(j:m, j) / ajnorm
                a(j, j) = a(j, j) + 1
                do k = j + 1, n
                    call apply_reflector(m - j + 1, a(j:m, j), a(j:m, k))
                    if (pivot /= 0) call update_norm(m - j, a(j:m, k), rdiag(k), wa(k))
                end do
            end if
            rdiag(j) = -ajnorm
        end do
    end subroutine qrfac

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

    !> Apply a Householder reflector to a vector:  y <- (I - v v'/v(1)) y.
    !>
    !> Bits: the dot product adds in increasing i; one division, then m multiply-subtract pairs.
    pure subroutine apply_reflector(m, v, y)
        integer(c_int), intent(in)    :: m      !< length of v and y, m >= 1
        real(dp),       intent(in)    :: v(m)   !< reflector, v(1) /= 0
        real(dp),       intent(inout) :: y(m)   !< vector to reflect
        real(dp) :: scale
        integer(c_int) :: i

        scale = 0
        do i = 1, m
            scale = scale + v(i) * y(i)
        end do
        scale = scale / v(1)
        do i = 1, m
            y(i) = y(i) - scale * v(i)
        end do
    end subroutine apply_reflector

    !> Norm of a column without its first entry, from the norm with it.
    !>
    !> Bits: the downdate loses digits; once the norm has fallen far below the last one computed in full, it is
    !> computed in full again. A NaN in that test computes in full.
    pure subroutine update_norm(m, y, norm, full)
        integer(c_int), intent(in)    :: m          !< length of the column without its first entry
        real(dp),       intent(in)    :: y(m + 1)   !< column, y(1) leaves the norm
        real(dp),       intent(inout) :: norm       !< norm of the column
        real(dp),       intent(inout) :: full       !< norm at the last full computation
        real(dp) :: temp

        if (norm == 0) return
        temp = y(1) / norm
        norm = norm * sqrt(larger(0.0_dp, 1 - temp**2))
        if (.not. 0.05_dp * (norm / full)**2 > epsmch) then
            norm = enorm(m, y(2:m + 1))
            full = norm
        end if
    end subroutine update_norm

end module qrfac_module
