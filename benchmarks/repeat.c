/* Call enorm many times from C: a call through ctypes takes longer than a short norm. */

double
repeat_by_value(double (*enorm)(int, const double *), int n, const double *x, int times)
{
    double norm = 0;

    for (int i = 0; i < times; i++)
        norm = enorm(n, x);
    return norm;
}

/* MINPACK's own: n by reference. */
double
repeat_by_reference(double (*enorm)(const int *, const double *), int n, const double *x, int times)
{
    double norm = 0;

    for (int i = 0; i < times; i++)
        norm = enorm(&n, x);
    return norm;
}
