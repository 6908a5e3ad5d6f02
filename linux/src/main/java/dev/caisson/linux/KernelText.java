package dev.caisson.linux;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Optional;
import java.util.stream.Stream;

/// Texts that the kernel makes anew at each read, as the files of cgroup and proc, in ASCII and without white space at
/// their end. Reading one costs three system calls, or one where the file is kept open, and little else.
public final class KernelText {
    /// The kernel bounds what it writes of one file by its memory alone; a list of processes may be long.
    private static final int LONGEST = 64 << 20;
    /// A file of many records is read up to the last record that fits whole (seq_file(9)): a read that ends so far
    /// before the end of the buffer, or less, may have left some out. No list that is read here has longer records.
    private static final int LONGEST_RECORD = 1024;

    private KernelText() {}

    /// The text of `name` below `directory`, no link followed.
    public static String read(Fd directory, String name) {
        try (Scratch scratch = Scratch.take()) {
            long descriptor = Native.check("open " + name, scratch.open(directory, name));
            return closing(scratch, descriptor);
        }
    }

    /// Like [#read]; empty where there is no such file, or it went after it was opened: ENOENT, ENODEV.
    public static Optional<String> find(Fd directory, String name) {
        try (Scratch scratch = Scratch.take()) {
            long descriptor = scratch.open(directory, name);
            if (descriptor == -Errno.ENOENT) {
                return Optional.empty();
            }
            return Optional.of(closing(scratch, Native.check("open " + name, descriptor)));
        } catch (ErrnoException e) {
            if (e.is(Errno.ENOENT) || e.is(Errno.ENODEV)) {
                return Optional.empty();
            }
            throw e;
        }
    }

    /// The text of a file that is open, from its start.
    public static String read(Fd file) {
        try (Scratch scratch = Scratch.take()) {
            return text(scratch, file.number());
        }
    }

    /// The lines of such a text that hold something. A line feed alone ends one: in the names of programs and files the
    /// kernel escapes it, but no carriage return, and what stands behind one is no line of the kernel's.
    public static Stream<String> lines(String text) {
        return Arrays.stream(text.split("\n", -1)).filter(line -> !line.isEmpty());
    }

    private static String closing(Scratch scratch, long descriptor) {
        try {
            return text(scratch, descriptor);
        } finally {
            Native.raw(Nr.CLOSE, descriptor);
        }
    }

    private static String text(Scratch scratch, long descriptor) {
        int length = (int) Native.check("pread", scratch.read(descriptor));
        return length < Scratch.LONGEST_TEXT - LONGEST_RECORD ? scratch.text(length) : whole(descriptor);
    }

    private static String whole(long descriptor) {
        byte[] bytes = FileSystem.read(descriptor, 0, LONGEST);
        return new String(bytes, StandardCharsets.US_ASCII).stripTrailing();
    }
}
