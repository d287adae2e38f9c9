!> The Levenberg-Marquardt parameter.
module lmpar_module
    use, intrinsic :: iso_c_binding, only: c_int
    use machine_module, only: dp, dwarf, larger, smaller
    use checks_module, only: checking, check_sizes, check_lmpar
    use dispatched_module, only: enorm, qrsolv, rows_at_once
    use multiply_rt_module, only: multiply_rt
    implicit none
    private
    public :: lmpar, gauss_newton

    integer, parameter :: iter_max = 10   !< maximum number of iterations

contains

    !> Find par >= 0 so that the solution x of  A x = b, sqrt(par) D x = 0  has | ||D x|| - delta | <= 0.1 delta,
    !> or par = 0 and ||D x|| <= 1.1 delta.
    !>
    !> A safeguarded Newton iteration on phi(par) = ||D x(par)|| - delta, between the bounds parl and paru.
    !>
    !> Source: Moré, The Levenberg-Marquardt algorithm: implementation and theory, 1978, section 5;
    !>         Moré, Garbow, Hillstrom, User guide for MINPACK-1, ANL-80-74, section on LMPAR.
    !> Bits: maxima and minima ignore NaN, with operands in this order; a NaN fp goes on to the iteration; parl and parc
    !> are divided by temp twice, not by its square.
    pure subroutine lmpar(n, r, ldr, ipvt, diag, qtb, delta, par, x, sdiag, wa1, wa2, work) &
            bind(C, name="minpack_lmpar")
        integer(c_int), value, intent(in)    :: n           !< order of R
        integer(c_int), value, intent(in)    :: ldr         !< leading dimension of r, ldr >= n
        real(dp),              intent(inout) :: r(ldr, n)   !< R of A P = Q R; qrsolv writes below the diagonal
        integer(c_int),        intent(in)    :: ipvt(n)     !< column j of A P is column ipvt(j) of A
        real(dp),              intent(in)    :: diag(n)     !< diagonal of D, positive
        real(dp),              intent(in)    :: qtb(n)      !< first n entries of Q'b
        real(dp), value,       intent(in)    :: delta       !< bound on ||D x||, positive
        real(dp),              intent(inout) :: par         !< in: first estimate; out: the parameter
        real(dp),              intent(inout) :: x(n)        !< solution for par
        real(dp),              intent(inout) :: sdiag(n)    !< diagonal of S as qrsolv leaves it, if par /= 0
        real(dp),              intent(inout) :: wa1(n)      !< work
        real(dp),              intent(inout) :: wa2(n)      !< work
        real(dp),              intent(inout) :: work(rows_at_once * n)
        real(dp) :: dxnorm, fp, gnorm, parc, parl, paru, temp
        integer(c_int) :: iter, j, nsing

        if (checking) call check_sizes(n, n, ldr, 0_c_int, 0_c_int)
        call gauss_newton(n, r, ldr, ipvt, qtb, x, wa1, nsing)
        wa2 = diag * x
        dxnorm = enorm(n, wa2)
        fp = dxnorm - delta
        if (fp <= 0.1_dp * delta) then
            par = 0
            if (checking) call check_lmpar(enorm(n, diag * x), delta, par, 0.0_dp, 0_c_int)
            return
        end if

        ! If R is rank-deficient, phi has no Newton step at zero, and zero is the lower bound.
        parl = 0
        if (nsing == n) then
            call scale_direction(n, ipvt, diag, dxnorm, wa2, wa1)
            call solve_transposed(n, r, ldr, wa1)
            temp = enorm(n, wa1)
            parl = ((fp / delta) / temp) / temp
        end if

        call scaled_gradient(n, r, ldr, ipvt, diag, qtb, wa1)
        gnorm = enorm(n, wa1)
        paru = gnorm / delta
        if (paru == 0) paru = dwarf / smaller(delta, 0.1_dp)

        par = larger(par, parl)
        par = smaller(par, paru)
        if (par == 0) par = gnorm / dxnorm

        do iter = 1, iter_max
            if (par == 0) par = larger(dwarf, 0.001_dp * paru)
            temp = sqrt(par)
            wa1 = temp * diag
            call qrsolv(n, r, ldr, ipvt, wa1, qtb, x, sdiag, wa2, work)
            wa2 = diag * x
            dxnorm = enorm(n, wa2)
            temp = fp
            fp = dxnorm - delta
            if (abs(fp) <= 0.1_dp * delta) exit
            if (parl == 0 .and. fp <= temp .and. temp < 0) exit
            if (iter == iter_max) exit

            call scale_direction(n, ipvt, diag, dxnorm, wa2, wa1)
            ! Solve S'z = w column by column; solve_transposed goes row by row.
            do j = 1, n
                wa1(j) = wa1(j) / sdiag(j)
                wa1(j + 1:n) = wa1(j + 1:n) - r(j + 1:n, j) * wa1(j)
            end do
            temp = enorm(n, wa1)
            parc = ((fp / delta) / temp) / temp
            if (fp > 0) parl = larger(parl, par)
            if (fp < 0) paru = smaller(paru, par)
            par = larger(parl, par + parc)
        end do
        if (checking) call check_lmpar(enorm(n, diag * x), delta, par, parl, merge(1_c_int, 0_c_int, iter >= iter_max))
    end subroutine lmpar

    !> Gauss-Newton direction x of A x = b; if R is singular, with zeros from its first zero diagonal entry on.
    !>
    !> Bits: columns from last to first, each subtracted from all rows above it.
    pure subroutine gauss_newton(n, r, ldr, ipvt, qtb, x, z, nsing)
        integer(c_int), intent(in)    :: n           !< order of R
        integer(c_int), intent(in)    :: ldr         !< leading dimension of r
        real(dp),       intent(in)    :: r(ldr, n)   !< R
        integer(c_int), intent(in)    :: ipvt(n)     !< column permutation
        real(dp),       intent(in)    :: qtb(n)      !< Q'b
        real(dp),       intent(inout) :: x(n)        !< direction
        real(dp),       intent(out)   :: z(n)        !< work: P'x
        integer(c_int), intent(out)   :: nsing       !< order of the leading non-singular part of R
        integer(c_int) :: j

        nsing = n
        do j = 1, n
            z(j) = qtb(j)
            if (r(j, j) == 0 .and. nsing == n) nsing = j - 1
            if (nsing < n) z(j) = 0
        end do
        do j = nsing, 1, -1
            z(j) = z(j) / r(j, j)
            z(1:j - 1) = z(1:j - 1) - r(1:j - 1, j) * z(j)
        end do
        do j = 1, n
            x(ipvt(j)) = z(j)
        end do
    end subroutine gauss_newton

    !> w <- P'D (D x) / ||D x||, the right-hand side of phi's derivative.
    !>
    !> Bits: the quotient first, then the product.
    pure subroutine scale_direction(n, ipvt, diag, dxnorm, dx, w)
        integer(c_int), intent(in)  :: n
        integer(c_int), intent(in)  :: ipvt(n)   !< column permutation
        real(dp),       intent(in)  :: diag(n)   !< diagonal of D
        real(dp),       intent(in)  :: dxnorm    !< ||D x||
        real(dp),       intent(in)  :: dx(n)     !< D x
        real(dp),       intent(out) :: w(n)
        integer(c_int) :: j

        do j = 1, n
            w(j) = diag(ipvt(j)) * (dx(ipvt(j)) / dxnorm)
        end do
    end subroutine scale_direction

    !> Solve R'w = w.
    !>
    !> Bits: each sum runs in increasing i and is subtracted once.
    pure subroutine solve_transposed(n, r, ldr, w)
        integer(c_int), intent(in)    :: n           !< order of R
        integer(c_int), intent(in)    :: ldr         !< leading dimension of r
        real(dp),       intent(in)    :: r(ldr, n)   !< R, non-singular
        real(dp),       intent(inout) :: w(n)        !< in: right-hand side; out: solution
        real(dp) :: total
        integer(c_int) :: i, j

        do j = 1, n
            total = 0
            do i = 1, j - 1
                total = total + r(i, j) * w(i)
            end do
            w(j) = (w(j) - total) / r(j, j)
        end do
    end subroutine solve_transposed

    !> g <- (P'D P)^-1 R'Q'b, the gradient of half the sum of squares in the scaled variables.
    !>
    !> Bits: the sum first, then one quotient.
    pure subroutine scaled_gradient(n, r, ldr, ipvt, diag, qtb, g)
        integer(c_int), intent(in)  :: n           !< order of R
        integer(c_int), intent(in)  :: ldr         !< leading dimension of r
        real(dp),       intent(in)  :: r(ldr, n)   !< R
        integer(c_int), intent(in)  :: ipvt(n)     !< column permutation
        real(dp),       intent(in)  :: diag(n)     !< diagonal of D
        real(dp),       intent(in)  :: qtb(n)      !< Q'b
        real(dp),       intent(inout) :: g(n)      !< gradient in the order of R's columns
        integer(c_int) :: j

        call multiply_rt(n, r, ldr, qtb, g)
        do j = 1, n
            g(j) = g(j) / diag(ipvt(j))
        end do
    end subroutine scaled_gradient

end module lmpar_module
