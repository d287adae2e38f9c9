!> Conditions that the solver's routines must meet, for a build with -Dchecks=true.
!>
!> Routines call their checks under `if (checking)`, a constant, so that an ordinary build contains none. A violated
!> condition ends the process with its text. NaN and infinities are exempt: what MINPACK makes of them is not a
!> factorisation. What holds only to rounding is checked to a multiple of it that random cases do not reach.
module checks_module
    use, intrinsic :: iso_c_binding, only: c_int, c_int64_t
    use, intrinsic :: ieee_arithmetic, only: ieee_is_finite
    use machine_module, only: dp, epsmch, dwarf
    implicit none
    private
    public :: checking, fingerprint, check_sizes, check_qrfac, check_qrsolv, check_lmpar, check_covar, check_lm, &
        check_trial

    logical, parameter :: checking = CHECKING      !< set by the build

    real(dp), parameter :: slack = 1000 * epsmch   !< relative error per row and column
    real(dp), parameter :: downdated = 1.0e-6_dp   !< absolute error of a downdated norm, relative to the largest column
    real(dp), parameter :: least = dwarf / epsmch  !< below this, rounding errors are absolute

contains

    !> End the process unless a condition holds.
    pure subroutine require(condition, text)
        logical,          intent(in) :: condition
        character(len=*), intent(in) :: text

        if (checking) then
            if (.not. condition) error stop text
        end if
    end subroutine require

    !> On entry: sizes of an m x n matrix and of the work array.
    pure subroutine check_sizes(m, n, ld, lwork, least_lwork) bind(C, name="minpack_check_sizes")
        integer(c_int), value, intent(in) :: m, n, ld, lwork, least_lwork

        call require(m >= 0, "checks: m is negative")
        call require(n >= 0, "checks: n is negative")
        call require(ld >= m, "checks: the leading dimension is less than the rows")
        call require(lwork >= least_lwork, "checks: the work array is too short")
    end subroutine check_sizes

    !> After qrfac: ipvt is a permutation, and R's columns have the norms of A's.
    pure subroutine check_qrfac(m, n, a, lda, pivot, ipvt, rdiag, acnorm) bind(C, name="minpack_check_qrfac")
        integer(c_int), value, intent(in) :: m, n, lda, pivot
        real(dp),              intent(in) :: a(lda, n)             !< R strictly above the diagonal
        integer(c_int),        intent(in) :: ipvt(n)
        real(dp),              intent(in) :: rdiag(n), acnorm(n)
        real(dp) :: column(n), tolerance
        integer(c_int) :: j, k

        if (pivot /= 0) call require(is_permutation(n, ipvt), "qrfac: ipvt is not a permutation")
        call require(all(.not. acnorm < 0), "qrfac: a norm in acnorm is negative")
        if (.not. all(acnorm < 1 / least)) return   ! intermediate sums of products may overflow
        tolerance = slack * m * n
        do j = 1, min(m, n)
            ! The reflector of a column that underflows is not orthogonal.
            if (abs(rdiag(j)) < least .and. rdiag(j) /= 0) return
            k = j
            if (pivot /= 0) k = ipvt(j)
            column(1:j - 1) = a(1:j - 1, j)
            column(j) = rdiag(j)
            call require(near(norm(column(1:j)), acnorm(k), tolerance, m * least), &
                         "qrfac: a column of R has not the norm of A's column")
            if (pivot == 0) cycle
            ! The norms that choose the pivot are downdated, which costs half of their digits.
            call require(.not. abs(rdiag(j)) > 1.5_dp * abs(rdiag(max(j - 1, 1))) + downdated * maxval(acnorm), &
                         "qrfac: the diagonal of R increases")
        end do
    end subroutine check_qrfac

    !> After qrsolv: R is unchanged, and the columns of S have the norms of those of R stacked on D.
    pure subroutine check_qrsolv(n, r, ldr, ipvt, diag, sdiag, before) bind(C, name="minpack_check_qrsolv")
        integer(c_int), value,     intent(in) :: n, ldr
        real(dp),                  intent(in) :: r(ldr, n)         !< R, and S' strictly below the diagonal
        integer(c_int),            intent(in) :: ipvt(n)
        real(dp),                  intent(in) :: diag(n), sdiag(n)
        integer(c_int64_t), value, intent(in) :: before            !< fingerprint of R on entry
        real(dp) :: above(n + 1), column(n)
        integer(c_int) :: j

        call require(is_permutation(n, ipvt), "qrsolv: ipvt is not a permutation")
        call require(fingerprint(n, r, ldr) == before, "qrsolv: R has changed on or above its diagonal")
        do j = 1, n
            above(1:j) = r(1:j, j)
            above(j + 1) = diag(ipvt(j))
            column(1:j - 1) = r(j, 1:j - 1)
            column(j) = sdiag(j)
            if (.not. (all(ieee_is_finite(above(1:j + 1))) .and. all(ieee_is_finite(column(1:j))))) cycle
            call require(near(norm(column(1:j)), norm(above(1:j + 1)), n * n * slack, n * least), &
                         "qrsolv: a column of S has not the norm of R's column over D's")
        end do
    end subroutine check_qrsolv

    !> After lmpar: par is not negative, and ||D x|| is within its bound.
    pure subroutine check_lmpar(dxnorm, delta, par, parl, ended) bind(C, name="minpack_check_lmpar")
        real(dp), value,       intent(in) :: dxnorm     !< ||D x||
        real(dp), value,       intent(in) :: delta, par
        real(dp), value,       intent(in) :: parl       !< the lower bound; 0: R is singular
        integer(c_int), value, intent(in) :: ended      !< /= 0: by the iteration limit
        real(dp) :: fp

        if (.not. (delta > 0 .and. ieee_is_finite(delta))) return
        call require(.not. par < 0, "lmpar: par is negative")
        fp = dxnorm - delta
        if (.not. (ieee_is_finite(fp) .and. ieee_is_finite(par)) .or. ended /= 0) return
        if (par == 0) then
            call require(fp <= 0.1_dp * delta, "lmpar: par is 0, and ||D x|| exceeds 1.1 delta")
        else if (parl == 0) then
            call require(fp <= 0.1_dp * delta, "lmpar: R is singular, and ||D x|| exceeds 1.1 delta")
        else
            call require(abs(fp) <= 0.1_dp * delta, "lmpar: ||D x|| is not within 0.1 delta of delta")
        end if
    end subroutine check_lmpar

    !> After covar: the matrix is symmetric, not negative on its diagonal, and zero beyond rank.
    pure subroutine check_covar(n, r, ldr, ipvt, rank) bind(C, name="minpack_check_covar")
        integer(c_int), value, intent(in) :: n, ldr, rank
        real(dp),              intent(in) :: r(ldr, n)
        integer(c_int),        intent(in) :: ipvt(n)
        integer(c_int) :: i, j

        call require(is_permutation(n, ipvt), "covar: ipvt is not a permutation")
        call require(rank >= 0 .and. rank <= n, "covar: the rank is not one of an n x n matrix")
        do j = 1, n
            call require(.not. r(j, j) < 0, "covar: a variance is negative")
            do i = 1, j - 1
                call require(same(r(i, j), r(j, i)), "covar: the covariance is not symmetric")
            end do
        end do
        do j = rank + 1, n
            call require(all(r(1:n, ipvt(j)) == 0), "covar: not zero beyond the rank")
        end do
    end subroutine check_covar

    !> Between two requests of lm: its numbers are consistent.
    pure subroutine check_lm(request, n_requests, finished, info, norm_fvec, fnorm, delta, par) &
            bind(C, name="minpack_check_lm")
        integer(c_int), value, intent(in) :: request, n_requests    !< current request, of 1..n_requests
        integer(c_int), value, intent(in) :: finished, info         !< /= 0: no further request
        real(dp), value,       intent(in) :: norm_fvec, fnorm, delta, par

        call require(request >= 1 .and. request <= n_requests, "lm: the request is none of its requests")
        call require((finished /= 0) .eqv. (info /= 0), "lm: it has ended without a reason, or goes on with one")
        call require(same(norm_fvec, fnorm), "lm: fnorm is not the norm of fvec")
        call require(.not. delta < 0, "lm: delta is negative")
        call require(.not. par < 0, "lm: par is negative")
    end subroutine check_lm

    !> When lm requests residuals at a trial point: the point is x + p.
    pure subroutine check_trial(n, x, diag, ipvt, p, trial) bind(C, name="minpack_check_trial")
        integer(c_int), value, intent(in) :: n
        real(dp),              intent(in) :: x(n), diag(n), p(n), trial(n)
        integer(c_int),        intent(in) :: ipvt(n)

        call require(is_permutation(n, ipvt), "lm: ipvt is not a permutation")
        call require(all(.not. diag <= 0), "lm: an entry of diag is not positive")
        call require(all(same(x + p, trial)), "lm: the trial point is not x + p")
    end subroutine check_trial

    !> Hash that changes with any bit of R on or above its diagonal (xorshift, word by word: each step is one-to-one).
    pure function fingerprint(n, r, ldr) result(hash) bind(C, name="minpack_check_fingerprint")
        integer(c_int), value, intent(in) :: n, ldr
        real(dp),              intent(in) :: r(ldr, n)
        integer(c_int64_t) :: hash
        integer(c_int) :: i, j

        hash = 1469598103934665603_c_int64_t
        do j = 1, n
            do i = 1, j
                hash = ieor(hash, transfer(r(i, j), hash))
                hash = ieor(ishft(hash, 13), hash)
                hash = ieor(ishft(hash, -7), hash)
                hash = ieor(ishft(hash, 17), hash)
            end do
        end do
    end function fingerprint

    !> Euclidean norm, independent of enorm.
    pure function norm(x)
        real(dp), intent(in) :: x(:)
        real(dp) :: norm, largest

        largest = maxval(abs(x))
        norm = 0
        if (largest > 0) norm = largest * sqrt(sum((x / largest)**2))
    end function norm

    pure function is_permutation(n, p) result(it_is)
        integer(c_int), intent(in) :: n, p(n)
        logical :: it_is
        logical :: seen(n)
        integer(c_int) :: j

        seen = .false.
        do j = 1, n
            if (p(j) >= 1 .and. p(j) <= n) seen(p(j)) = .true.
        end do
        it_is = all(seen)
    end function is_permutation

    !> Equal, or both NaN.
    elemental function same(a, b)
        real(dp), intent(in) :: a, b
        logical :: same

        same = a == b .or. (a /= a .and. b /= b)
    end function same

    !> Equal to a relative or an absolute tolerance, or not finite.
    pure function near(a, b, relative, absolute)
        real(dp), intent(in) :: a, b, relative, absolute
        logical :: near

        near = abs(a - b) <= relative * abs(b) + absolute .or. .not. ieee_is_finite(a - b)
    end function near

end module checks_module
