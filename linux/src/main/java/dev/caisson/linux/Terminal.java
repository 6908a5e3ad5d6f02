package dev.caisson.linux;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.util.Optional;

/// A terminal by its descriptor: size and line discipline, ioctl_tty(2), termios(3).
public final class Terminal {
    /// Rows and columns of characters.
    public record Size(int rows, int columns) {}

    /// The line discipline's settings as the kernel holds them, to be put back later.
    public static final class Mode {
        private final byte[] termios;

        private Mode(byte[] termios) {
            this.termios = termios;
        }
    }

    static final StructLayout WINSIZE = MemoryLayout.structLayout(
            JAVA_SHORT.withName("ws_row"),
            JAVA_SHORT.withName("ws_col"),
            JAVA_SHORT.withName("ws_xpixel"),
            JAVA_SHORT.withName("ws_ypixel"));
    /// struct termios of the kernel's asm-generic/termbits.h, which is smaller than the C library's.
    static final StructLayout KERNEL_TERMIOS = MemoryLayout.structLayout(
            JAVA_INT.withName("c_iflag"),
            JAVA_INT.withName("c_oflag"),
            JAVA_INT.withName("c_cflag"),
            JAVA_INT.withName("c_lflag"),
            JAVA_BYTE.withName("c_line"),
            MemoryLayout.sequenceLayout(19, JAVA_BYTE).withName("c_cc"));

    private static final long TCGETS = 0x5401;
    private static final long TCSETS = 0x5402;
    private static final long TIOCGWINSZ = 0x5413;
    private static final long TIOCSWINSZ = 0x5414;
    private static final int ECHO = 010;
    private static final int VTIME = 5;
    private static final int VMIN = 6;

    private Terminal() {}

    public static boolean isTerminal(Fd file) {
        return size(file).isPresent();
    }

    /// Empty where `file` is no terminal.
    public static Optional<Size> size(Fd file) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment size = arena.allocate(WINSIZE);
            if (Native.raw(Nr.IOCTL, file.number(), TIOCGWINSZ, size.address()) < 0) {
                return Optional.empty();
            }
            return Optional.of(new Size(
                    Short.toUnsignedInt(size.get(JAVA_SHORT, 0)), Short.toUnsignedInt(size.get(JAVA_SHORT, 2))));
        }
    }

    public static void resize(Fd file, Size to) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment size = arena.allocate(WINSIZE);
            size.set(JAVA_SHORT, 0, (short) to.rows());
            size.set(JAVA_SHORT, 2, (short) to.columns());
            Native.check("ioctl TIOCSWINSZ", Native.raw(Nr.IOCTL, file.number(), TIOCSWINSZ, size.address()));
        }
    }

    /// Passes every byte on as it is, in both directions, as cfmakeraw(3) does. Gives back the mode it replaced.
    public static Mode makeRaw(Fd file) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment termios = arena.allocate(KERNEL_TERMIOS);
            Native.check("ioctl TCGETS", Native.raw(Nr.IOCTL, file.number(), TCGETS, termios.address()));
            var before = new Mode(termios.toArray(JAVA_BYTE));
            // IGNBRK BRKINT PARMRK ISTRIP INLCR IGNCR ICRNL IXON; OPOST; CSIZE PARENB, CS8; ECHO ECHONL ICANON ISIG
            // IEXTEN
            termios.set(JAVA_INT, 0, termios.get(JAVA_INT, 0) & ~02753);
            termios.set(JAVA_INT, 4, termios.get(JAVA_INT, 4) & ~01);
            termios.set(JAVA_INT, 8, (termios.get(JAVA_INT, 8) & ~0460) | 060);
            termios.set(JAVA_INT, 12, termios.get(JAVA_INT, 12) & ~0100113);
            long controlCharacters = Native.offset(KERNEL_TERMIOS, "c_cc");
            termios.set(JAVA_BYTE, controlCharacters + VMIN, (byte) 1);
            termios.set(JAVA_BYTE, controlCharacters + VTIME, (byte) 0);
            Native.check("ioctl TCSETS", Native.raw(Nr.IOCTL, file.number(), TCSETS, termios.address()));
            return before;
        }
    }

    /// Stops the terminal from showing what is typed; lines stay lines. Returns the mode that it replaced.
    public static Mode hideInput(Fd file) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment termios = arena.allocate(KERNEL_TERMIOS);
            Native.check("ioctl TCGETS", Native.raw(Nr.IOCTL, file.number(), TCGETS, termios.address()));
            var before = new Mode(termios.toArray(JAVA_BYTE));
            termios.set(JAVA_INT, 12, termios.get(JAVA_INT, 12) & ~ECHO);
            Native.check("ioctl TCSETS", Native.raw(Nr.IOCTL, file.number(), TCSETS, termios.address()));
            return before;
        }
    }

    public static void restore(Fd file, Mode mode) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment termios = arena.allocate(KERNEL_TERMIOS);
            MemorySegment.copy(mode.termios, 0, termios, JAVA_BYTE, 0, mode.termios.length);
            Native.check("ioctl TCSETS", Native.raw(Nr.IOCTL, file.number(), TCSETS, termios.address()));
        }
    }
}
