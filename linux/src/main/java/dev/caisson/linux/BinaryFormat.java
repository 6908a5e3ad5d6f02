package dev.caisson.linux;

import java.io.IOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// An interpreter that the kernel starts in place of files that begin as it says
/// (Documentation/admin-guide/binfmt-misc).
///
/// @param name of its file below /proc/sys/fs/binfmt_misc
/// @param interpreter path of the program
/// @param flags letters; `F`: the program was opened when it was registered, so no root file system needs to have it
/// @param offset of the first byte that is compared
/// @param magic bytes that are compared, in hexadecimal digits; empty if the file's extension is
/// @param mask bits of them that count, as many digits; empty if all do
public record BinaryFormat(
        String name, boolean enabled, String interpreter, String flags, int offset, String magic, String mask) {
    private static final Path DIRECTORY = Path.of("/proc/sys/fs/binfmt_misc");
    private static final List<String> CONTROLS = List.of("register", "status");
    private static final int MOST = 1000;

    /// Returns those of the kernel. None, if all of them are switched off or binfmt_misc is not mounted.
    public static List<BinaryFormat> ofHost() {
        return read(DIRECTORY);
    }

    static List<BinaryFormat> read(Path directory) {
        var formats = new ArrayList<BinaryFormat>();
        try {
            if (!ByteText.read(directory.resolve("status")).strip().equals("enabled")) {
                return List.of();
            }
            try (DirectoryStream<Path> files = Files.newDirectoryStream(directory)) {
                for (Path file : files) {
                    String name = String.valueOf(file.getFileName());
                    if (!CONTROLS.contains(name) && formats.size() < MOST) {
                        parse(name, text(file)).ifPresent(formats::add);
                    }
                }
            }
        } catch (IOException | DirectoryIteratorException e) {
            return List.of(); // not mounted, or not for this user: nothing is known to be there
        }
        return List.copyOf(formats);
    }

    private static String text(Path file) throws IOException {
        try {
            return ByteText.read(file);
        } catch (NoSuchFileException e) {
            return ""; // taken away meanwhile
        }
    }

    /// Reads what the kernel prints about one; empty if it is something else.
    static Optional<BinaryFormat> parse(String name, String text) {
        var fields = new HashMap<String, String>();
        text.lines().forEach(line -> {
            int blank = line.indexOf(' ');
            fields.put(blank < 0 ? line : line.substring(0, blank), blank < 0 ? "" : line.substring(blank + 1));
        });
        if (!fields.containsKey("interpreter")) {
            return Optional.empty();
        }
        try {
            return Optional.of(of(name, fields));
        } catch (IllegalArgumentException e) {
            return Optional.empty();
        }
    }

    private static BinaryFormat of(String name, Map<String, String> fields) {
        String magic = fields.getOrDefault("magic", "");
        String mask = fields.getOrDefault("mask", "");
        if (!mask.isEmpty() && mask.length() != magic.length()) {
            throw new IllegalArgumentException("mask");
        }
        HexFormat.of().parseHex(magic);
        HexFormat.of().parseHex(mask);
        return new BinaryFormat(
                name,
                fields.containsKey("enabled"),
                fields.getOrDefault("interpreter", ""),
                fields.getOrDefault("flags:", ""),
                Integer.parseInt(fields.getOrDefault("offset", "0")),
                magic,
                mask);
    }

    /// Returns true if the kernel takes it for a file that begins with these bytes.
    public boolean takes(byte[] beginning) {
        byte[] wanted = HexFormat.of().parseHex(magic);
        byte[] counting = HexFormat.of().parseHex(mask);
        if (!enabled || wanted.length == 0 || offset < 0 || offset + wanted.length > beginning.length) {
            return false;
        }
        for (int i = 0; i < wanted.length; i++) {
            int bits = counting.length == 0 ? 0xff : counting[i];
            if (((beginning[offset + i] ^ wanted[i]) & bits) != 0) {
                return false;
            }
        }
        return true;
    }

    /// Returns true if it was opened when it was registered.
    public boolean isOpen() {
        return flags.indexOf('F') >= 0;
    }
}
