package dev.caisson.seccomp;

import java.nio.ByteOrder;
import java.util.Optional;
import java.util.Set;

/// A system call ABI: a numbering of calls and a width of registers, as `seccomp_data.arch` names it, seccomp(2).
/// X32 shares the audit value of X86_64 and is told apart by bit 30 of the number.
public enum Architecture {
    X86_64("SCMP_ARCH_X86_64", "amd64", 0xC000003E, 64),
    X86("SCMP_ARCH_X86", "386", 0x40000003, 32),
    X32("SCMP_ARCH_X32", "amd64p32", 0xC000003E, 32),
    AARCH64("SCMP_ARCH_AARCH64", "arm64", 0xC00000B7, 64),
    ARM("SCMP_ARCH_ARM", "arm", 0x40000028, 32),
    RISCV64("SCMP_ARCH_RISCV64", "riscv64", 0xC00000F3, 64),
    S390X("SCMP_ARCH_S390X", "s390x", 0x80000016, 64),
    PPC64LE("SCMP_ARCH_PPC64LE", "ppc64le", 0xC0000015, 64),
    LOONGARCH64("SCMP_ARCH_LOONGARCH64", "loong64", 0xC0000102, 64);

    /// `__X32_SYSCALL_BIT` of `asm/unistd.h`.
    static final int X32_BIT = 0x40000000;

    private final String scmpName;
    private final String goName;
    private final int auditValue;
    private final int wordBits;

    Architecture(String scmpName, String goName, int auditValue, int wordBits) {
        this.scmpName = scmpName;
        this.goName = goName;
        this.auditValue = auditValue;
        this.wordBits = wordBits;
    }

    /// The constant of the OCI runtime specification, `SCMP_ARCH_X86_64`.
    public String scmpName() {
        return scmpName;
    }

    /// The name that `includes.arches` of a Docker profile uses, `amd64`.
    public String goName() {
        return goName;
    }

    /// `AUDIT_ARCH_…` of `linux/audit.h`.
    public int auditValue() {
        return auditValue;
    }

    /// How many bits of a register a `long` or pointer argument takes. A 64-bit process that enters by a 32-bit ABI
    /// keeps the upper halves of its registers in `seccomp_data`, and the kernel ignores them.
    int wordBits() {
        return wordBits;
    }

    /// The byte order of the machine, and so of a filter's instructions.
    public ByteOrder byteOrder() {
        return this == S390X ? ByteOrder.BIG_ENDIAN : ByteOrder.LITTLE_ENDIAN;
    }

    /// True if a kernel of this architecture can be a host; X86, X32 and ARM are let in by one of 64 bits.
    public boolean isNative() {
        return this != X86 && this != X32 && this != ARM;
    }

    /// The other ABIs that a kernel of this architecture can run.
    public Set<Architecture> compatible() {
        return switch (this) {
            case X86_64 -> Set.of(X86, X32);
            case AARCH64 -> Set.of(ARM);
            case X86, X32, ARM, RISCV64, S390X, PPC64LE, LOONGARCH64 -> Set.of();
        };
    }

    /// The ABI whose calls the number `nr` of an entry with this ABI's audit value names.
    ///
    /// X32 has numbers of its own from 512 on; below, it enters the very calls of X86_64, and a number that
    /// X32 leaves out is refused by the kernel itself. So these are decided as X86_64's, and the two share
    /// one tree.
    static Architecture numbering(Architecture abi, int number) {
        return abi == X32 && number < 512 ? X86_64 : abi;
    }

    /// The architecture of an OCI constant; empty for one that Caisson has no table for.
    static Optional<Architecture> ofScmpName(String name) {
        for (Architecture architecture : values()) {
            if (architecture.scmpName.equals(name)) {
                return Optional.of(architecture);
            }
        }
        return Optional.empty();
    }

    /// The architecture that a person names, as `SCMP_ARCH_X86_64`, `x86_64` or `amd64`.
    /// @throws SeccompException UNKNOWN_ARCHITECTURE
    public static Architecture parse(String name) {
        for (Architecture architecture : values()) {
            if (name.equalsIgnoreCase(architecture.name())
                    || name.equals(architecture.scmpName())
                    || name.equals(architecture.goName())) {
                return architecture;
            }
        }
        throw new SeccompException(
                SeccompException.Code.UNKNOWN_ARCHITECTURE,
                "no table for the architecture \"" + name + "\"; x86_64 is one");
    }

    /// The running machine's native ABI.
    /// @throws SeccompException UNSUPPORTED_ARCHITECTURE
    public static Architecture host() {
        String machine = System.getProperty("os.arch");
        return switch (machine) {
            case "amd64" -> X86_64;
            case "aarch64" -> AARCH64;
            case "riscv64" -> RISCV64;
            case "s390x" -> S390X;
            case "ppc64le" -> PPC64LE;
            case "loongarch64" -> LOONGARCH64;
            default ->
                throw new SeccompException(
                        SeccompException.Code.UNSUPPORTED_ARCHITECTURE,
                        "no system call table for the machine " + machine
                                + "; run on x86_64, aarch64, riscv64, s390x, ppc64le or loongarch64");
        };
    }
}
