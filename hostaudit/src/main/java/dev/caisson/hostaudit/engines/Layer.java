package dev.caisson.hostaudit.engines;

import dev.caisson.audit.Secrets;
import dev.caisson.hostaudit.secrets.Variables;
import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.ExtendedAttributes;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileSystem;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/// The files of one layer on disk that checks ask about. Nothing is followed and nothing is run.
///
/// @param plain programs without special bits, which replace those of a lower layer
/// @param whiteouts paths that this layer takes away
/// @param complete false where it has too many files to be read
record Layer(
        int files,
        Map<String, String> elevating,
        Set<String> plain,
        List<String> tools,
        List<String> remoteShells,
        List<String> secrets,
        List<String> bills,
        List<String> whiteouts,
        int packages,
        String passwd,
        boolean complete) {
    static final int LIMIT = 400_000;

    private static final int TYPE = 0170000;
    private static final int CHARACTER = 0020000;
    private static final int SETUID_SETGID = 06000;
    private static final int ANY_EXECUTE = 0111;
    private static final int SMALL = 64 * 1024;
    private static final int DATABASE = 32 << 20;

    private static final Set<String> TOOLS = Set.of(
            "gcc", "g++", "cc", "clang", "make", "ld", "gdb", "strace", "tcpdump", "nmap", "nc", "ncat", "netcat",
            "socat", "curl", "wget", "ssh", "scp", "sudo", "apt-get", "apk", "dnf", "yum", "pip", "npm");
    private static final Set<String> SHELL_SERVERS = Set.of("sshd", "dropbear", "telnetd", "in.telnetd", "rshd");
    private static final Set<String> SECRET_NAMES =
            Set.of(".netrc", ".pgpass", ".git-credentials", ".npmrc", ".pypirc", "credentials", ".env", "config.json");

    static Layer read(Path directory) {
        var reader = new Reader(directory);
        try {
            Files.walkFileTree(directory, reader);
        } catch (IOException e) {
            reader.complete = false;
        }
        return reader.layer();
    }

    private static final class Reader extends SimpleFileVisitor<Path> {
        private final Path root;
        private int files;
        private boolean complete = true;
        private int packages;
        private String passwd = "";
        private final Map<String, String> elevating = new TreeMap<>();
        private final Set<String> plain = new HashSet<>();
        private final List<String> tools = new ArrayList<>();
        private final List<String> shells = new ArrayList<>();
        private final List<String> secrets = new ArrayList<>();
        private final List<String> bills = new ArrayList<>();
        private final List<String> whiteouts = new ArrayList<>();

        Reader(Path root) {
            this.root = root;
        }

        Layer layer() {
            return new Layer(
                    files, elevating, plain, tools, shells, secrets, bills, whiteouts, packages, passwd, complete);
        }

        @Override
        public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
            if (++files > LIMIT) {
                complete = false;
                return FileVisitResult.TERMINATE;
            }
            String path = "/" + root.relativize(file);
            String name = String.valueOf(file.getFileName());
            if (TOOLS.contains(name) && path.contains("bin/")) {
                tools.add(path);
            }
            if (SHELL_SERVERS.contains(name) && path.contains("bin/")) {
                shells.add(path);
            }
            if (attributes.isOther()) {
                // a character device 0:0 is a whiteout of overlayfs
                Map<String, Object> device = Files.readAttributes(file, "unix:rdev,mode", LinkOption.NOFOLLOW_LINKS);
                boolean character = device.get("mode") instanceof Integer mode && (mode & TYPE) == CHARACTER;
                if (character && Long.valueOf(0).equals(device.get("rdev"))) {
                    whiteouts.add(path);
                }
            }
            if (attributes.isRegularFile()) {
                program(file, path);
                if (attributes.size() <= DATABASE) {
                    content(file, path, name, attributes.size());
                }
            }
            return FileVisitResult.CONTINUE;
        }

        private void program(Path file, String path) throws IOException {
            Object attribute = Files.getAttribute(file, "unix:mode", LinkOption.NOFOLLOW_LINKS);
            int mode = attribute instanceof Integer number ? number : 0;
            if ((mode & ANY_EXECUTE) == 0) {
                return;
            }
            if ((mode & SETUID_SETGID) != 0) {
                elevating.put(path, String.format(Locale.ROOT, "%04o", mode & 07777));
            } else if (hasCapabilities(file)) {
                elevating.put(path, "file capabilities");
            } else {
                plain.add(path);
            }
        }

        private static boolean hasCapabilities(Path file) {
            try (Fd open = FileSystem.open(file.toString(), FileSystem.O_PATH | FileSystem.O_NOFOLLOW)) {
                return ExtendedAttributes.get(open, ExtendedAttributes.CAPABILITIES)
                        .isPresent();
            } catch (ErrnoException e) {
                return false;
            }
        }

        private void content(Path file, String path, String name, long size) throws IOException {
            switch (path) {
                case "/etc/passwd" -> passwd = text(file);
                case "/var/lib/dpkg/status" -> packages += count(file, "Package: ");
                case "/lib/apk/db/installed" -> packages += count(file, "P:");
                case "/var/lib/rpm/rpmdb.sqlite", "/var/lib/rpm/Packages" -> packages++;
                case String other -> {}
            }
            if (path.startsWith("/var/lib/dpkg/status.d/") && !name.endsWith(".md5sums")) {
                packages++;
            }
            if (name.endsWith(".spdx.json") || name.endsWith(".cdx.json") || name.equals("bom.json")) {
                bills.add(path);
            }
            boolean suspicious = name.endsWith(".pem")
                    || name.endsWith(".key")
                    || name.startsWith("id_")
                    || SECRET_NAMES.contains(name);
            if (suspicious && size <= SMALL && size > 0) {
                String text = text(file);
                Secrets.form(text)
                        .or(() -> text.lines().anyMatch(Variables::holdsSecret)
                                ? java.util.Optional.of("a secret")
                                : java.util.Optional.empty())
                        .ifPresent(what -> secrets.add(path + " " + what));
            }
        }

        private static String text(Path file) throws IOException {
            return new String(Files.readAllBytes(file), StandardCharsets.ISO_8859_1);
        }

        private static int count(Path file, String prefix) throws IOException {
            return (int)
                    text(file).lines().filter(line -> line.startsWith(prefix)).count();
        }

        @Override
        public FileVisitResult visitFileFailed(Path file, IOException failure) {
            complete = false;
            return FileVisitResult.CONTINUE;
        }
    }

    Layer {
        elevating = Map.copyOf(new HashMap<>(elevating));
    }
}
