!> How far a fit is from a minimum, judged by its last Jacobian.
module departure_module
    use, intrinsic :: iso_c_binding, only: c_int
    use machine_module, only: dp, larger
    use dispatched_module, only: enorm
    use lmpar_module, only: gauss_newton
    implicit none
    private
    public :: departure, angles_to_columns, step_to_minimum

    !> MinpackDeparture of minpack.h.
    type, bind(C) :: departure
        integer(c_int) :: column      !< column of the largest cosine, from 1; 0: all are ignored
        real(dp)       :: cosine      !< largest in magnitude between the residuals and a column; NaN if any is
        real(dp)       :: slope       !< relative decrease of ||f|| along its gradient if x changes by its own size
        real(dp)       :: change      !< norm of the change of f for such a change of x, relative to ||f||
        real(dp)       :: reduction   !< relative, of the sum of squares, by the Gauss-Newton step if f were linear
    end type departure

contains

    !> The angles between the residuals and the Jacobian's columns.
    !>
    !> qtf belongs to the last Jacobian, where fvec may have been larger. Cosines and the reduction are relative to the
    !> larger of the norms of fvec and qtf, so that neither exceeds 1.
    !>
    !> Source: Moré, The Levenberg-Marquardt algorithm: implementation and theory, 1978.
    pure subroutine angles_to_columns(m, n, x, fvec, r, ldr, ipvt, qtf, diag, shrunk, slight, found, wa1, wa2) &
            bind(C, name="minpack_departure")
        integer(c_int), value, intent(in)    :: m           !< number of residuals
        integer(c_int), value, intent(in)    :: n           !< order of R
        integer(c_int), value, intent(in)    :: ldr         !< leading dimension of r, ldr >= n
        real(dp),              intent(in)    :: x(n)        !< final point
        real(dp),              intent(in)    :: fvec(m)     !< residuals at x, not all zero
        real(dp),              intent(in)    :: r(ldr, n)   !< R of the last Jacobian J P = Q R
        integer(c_int),        intent(in)    :: ipvt(n)     !< column j of J P is column ipvt(j) of J
        real(dp),              intent(in)    :: qtf(n)      !< first n entries of Q'f
        real(dp),              intent(in)    :: diag(n)     !< diagonal of the scaling D
        real(dp), value,       intent(in)    :: shrunk      !< ignore columns that are shorter than shrunk D_j ...
        real(dp), value,       intent(in)    :: slight      !< ... or that change f less than slight times the most
        type(departure),       intent(out)   :: found
        real(dp),              intent(inout) :: wa1(n)      !< work
        real(dp),              intent(inout) :: wa2(n)      !< work
        real(dp) :: fnorm, fnorm_before

        fnorm = enorm(m, fvec)
        fnorm_before = larger(fnorm, enorm(n, qtf))
        call column_angles(n, x, fnorm, fnorm_before, r, ldr, ipvt, qtf, diag, shrunk, slight, found%column, &
                           found%cosine, wa1, wa2)
        found%slope = enorm(n, wa1)
        found%change = enorm(n, wa2)
        found%reduction = (enorm(n, qtf) / fnorm_before)**2
    end subroutine angles_to_columns

    !> The largest cosine, and the effect on the residuals of changing each variable by its own size.
    !>
    !> The size of x = 0 is 1, as in difference steps.
    pure subroutine column_angles(n, x, fnorm, fnorm_before, r, ldr, ipvt, qtf, diag, shrunk, slight, column, largest, &
                                  slopes, changes)
        integer(c_int), intent(in)    :: n, ldr
        real(dp),       intent(in)    :: x(n)
        real(dp),       intent(in)    :: fnorm          !< norm of the residuals at x
        real(dp),       intent(in)    :: fnorm_before   !< the same where the Jacobian was evaluated
        real(dp),       intent(in)    :: r(ldr, n)      !< R
        integer(c_int), intent(in)    :: ipvt(n)
        real(dp),       intent(in)    :: qtf(n), diag(n), shrunk, slight
        integer(c_int), intent(out)   :: column         !< of the largest cosine
        real(dp),       intent(out)   :: largest        !< that cosine
        real(dp),       intent(inout) :: slopes(n)      !< relative decrease of ||f||, per variable
        real(dp),       intent(inout) :: changes(n)     !< relative change of f, per variable
        real(dp) :: cosine, length, most
        integer(c_int) :: i, j, k
        logical :: counts

        most = 0
        do k = 1, n
            j = ipvt(k)
            changes(j) = (enorm(k, r(:k, k)) / fnorm) * merge(1.0_dp, abs(x(j)), x(j) == 0)
            most = larger(most, changes(j))
        end do
        column = 0
        largest = 0
        do k = 1, n
            j = ipvt(k)
            length = enorm(k, r(:k, k))
            cosine = 0
            if (length /= 0) then
                do i = 1, k
                    cosine = cosine + (r(i, k) / length) * (qtf(i) / fnorm_before)
                end do
            end if
            counts = largest == largest .and. .not. (length < shrunk * diag(j) .or. changes(j) < slight * most)
            if (counts .and. .not. abs(cosine) <= abs(largest)) then
                largest = cosine
                column = j
            end if
            slopes(j) = cosine * changes(j)
        end do
    end subroutine column_angles

    !> ||D p|| / ||D x|| with the Gauss-Newton step p; inf at x = 0.
    !>
    !> If R is singular, p is zero from R's first zero diagonal entry on, as in lmpar.
    pure subroutine step_to_minimum(n, x, r, ldr, ipvt, qtf, diag, shrunk, step, wa1, wa2) &
            bind(C, name="minpack_step")
        integer(c_int), value, intent(in)    :: n           !< order of R
        integer(c_int), value, intent(in)    :: ldr         !< leading dimension of r, ldr >= n
        real(dp),              intent(in)    :: x(n)        !< point
        real(dp),              intent(in)    :: r(ldr, n)   !< R of the last Jacobian
        integer(c_int),        intent(in)    :: ipvt(n)     !< column permutation
        real(dp),              intent(in)    :: qtf(n)      !< Q'f
        real(dp),              intent(in)    :: diag(n)     !< diagonal of D
        real(dp), value,       intent(in)    :: shrunk      !< ignore variables whose column is shorter than shrunk D_j
        real(dp),              intent(out)   :: step
        real(dp),              intent(inout) :: wa1(n)      !< work
        real(dp),              intent(inout) :: wa2(n)      !< work
        integer(c_int) :: j, k, nsing

        call gauss_newton(n, r, ldr, ipvt, qtf, wa1, wa2, nsing)
        do k = 1, n
            j = ipvt(k)
            wa1(j) = diag(j) * wa1(j)
            if (enorm(k, r(:k, k)) < shrunk * diag(j)) wa1(j) = 0
        end do
        wa2 = diag * x
        step = enorm(n, wa1) / enorm(n, wa2)
    end subroutine step_to_minimum

end module departure_module
