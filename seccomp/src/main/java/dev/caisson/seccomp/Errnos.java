package dev.caisson.seccomp;

import java.util.OptionalInt;

/// The names of error numbers, errno(3). The values are those of every architecture in [Architecture].
final class Errnos {
    /// From 1 on, in the order of `asm-generic/errno.h`; a dash is a number without a name. One text and no
    /// list, which a cold JVM would be busy with longer than with a filter.
    private static final String NAMES = """
            EPERM ENOENT ESRCH EINTR EIO ENXIO E2BIG ENOEXEC EBADF ECHILD EAGAIN ENOMEM EACCES EFAULT ENOTBLK
            EBUSY EEXIST EXDEV ENODEV ENOTDIR EISDIR EINVAL ENFILE EMFILE ENOTTY ETXTBSY EFBIG ENOSPC ESPIPE
            EROFS EMLINK EPIPE EDOM ERANGE EDEADLK ENAMETOOLONG ENOLCK ENOSYS ENOTEMPTY ELOOP - ENOMSG EIDRM
            ECHRNG EL2NSYNC EL3HLT EL3RST ELNRNG EUNATCH ENOCSI EL2HLT EBADE EBADR EXFULL ENOANO EBADRQC EBADSLT
            - EBFONT ENOSTR ENODATA ETIME ENOSR ENONET ENOPKG EREMOTE ENOLINK EADV ESRMNT ECOMM EPROTO EMULTIHOP
            EDOTDOT EBADMSG EOVERFLOW ENOTUNIQ EBADFD EREMCHG ELIBACC ELIBBAD ELIBSCN ELIBMAX ELIBEXEC EILSEQ
            ERESTART ESTRPIPE EUSERS ENOTSOCK EDESTADDRREQ EMSGSIZE EPROTOTYPE ENOPROTOOPT EPROTONOSUPPORT
            ESOCKTNOSUPPORT EOPNOTSUPP EPFNOSUPPORT EAFNOSUPPORT EADDRINUSE EADDRNOTAVAIL ENETDOWN ENETUNREACH
            ENETRESET ECONNABORTED ECONNRESET ENOBUFS EISCONN ENOTCONN ESHUTDOWN ETOOMANYREFS ETIMEDOUT
            ECONNREFUSED EHOSTDOWN EHOSTUNREACH EALREADY EINPROGRESS ESTALE EUCLEAN ENOTNAM ENAVAIL EISNAM
            EREMOTEIO EDQUOT ENOMEDIUM EMEDIUMTYPE ECANCELED ENOKEY EKEYEXPIRED EKEYREVOKED EKEYREJECTED
            EOWNERDEAD ENOTRECOVERABLE ERFKILL EHWPOISON
            """.replace('\n', ' ');

    private Errnos() {}

    static String name(int errno) {
        int number = 1;
        int start = 0;
        for (int end = NAMES.indexOf(' '); end >= 0; end = NAMES.indexOf(' ', start)) {
            if (number == errno) {
                String name = NAMES.substring(start, end);
                return name.equals("-") ? Integer.toString(errno) : name;
            }
            number++;
            start = end + 1;
        }
        return Integer.toString(errno);
    }

    static OptionalInt number(String name) {
        int number = 1;
        int start = 0;
        for (int end = NAMES.indexOf(' '); end >= 0; end = NAMES.indexOf(' ', start)) {
            if (NAMES.substring(start, end).equals(name) && !name.equals("-")) {
                return OptionalInt.of(number);
            }
            number++;
            start = end + 1;
        }
        return OptionalInt.empty();
    }
}
