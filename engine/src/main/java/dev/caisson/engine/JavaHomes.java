package dev.caisson.engine;

import dev.caisson.linux.DirectoryEntries;
import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileSystem;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.regex.Pattern;

/// Finds the files of an image that hold the certificates which its Javas trust.
final class JavaHomes {
    /// Those that distributions make for all Javas, to which links in each lead.
    private static final List<String> SHARED = List.of(
            "etc/ssl/certs/java/cacerts",
            "etc/pki/ca-trust/extracted/java/cacerts",
            "etc/pki/java/cacerts",
            "var/lib/ca-certificates/java-cacerts");

    /// Directories with one Java in each directory below.
    private static final List<String> ABOVE = List.of("usr/lib/jvm", "opt/java", "opt", "usr/java", "usr/local");

    private static final List<String> WITHIN = List.of("lib/security/cacerts", "jre/lib/security/cacerts");
    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._+-]{0,100}");
    private static final Pattern HOME = Pattern.compile("/[A-Za-z0-9._+/-]{1,200}");
    private static final Pattern STEP = Pattern.compile("(?:^|/)\\.\\.?(?:/|$)");
    private static final int MOST = 4;
    private static final int MOST_LOOKED_AT = 64;
    private static final long IN_IMAGE = FileSystem.RESOLVE_IN_ROOT | FileSystem.RESOLVE_NO_MAGICLINKS;
    private static final long NO_LINK = FileSystem.RESOLVE_IN_ROOT | FileSystem.RESOLVE_NO_SYMLINKS;

    private JavaHomes() {}

    /// Returns the paths of a few, from the root, which no links lead to: each once, without a colon.
    ///
    /// @param home the image's `JAVA_HOME`, or empty; one with `.` or `..` is passed over
    static List<String> stores(Fd root, String home) {
        var candidates = new LinkedHashSet<>(SHARED);
        String plain = home.replaceAll("/+", "/").replaceFirst("/$", "");
        if (HOME.matcher(plain).matches() && !STEP.matcher(plain).find()) {
            WITHIN.forEach(store -> candidates.add(plain.substring(1) + "/" + store));
        }
        for (String above : ABOVE) {
            for (String name : names(root, above)) {
                WITHIN.forEach(store -> candidates.add(above + "/" + name + "/" + store));
            }
        }
        var found = new ArrayList<String>();
        for (String path : candidates) {
            if (found.size() < MOST && isFile(root, path)) {
                found.add(path);
            }
        }
        return found;
    }

    private static List<String> names(Fd root, String directory) {
        try {
            int flags = FileSystem.O_RDONLY | FileSystem.O_DIRECTORY;
            return FileSystem.find(root, directory, flags, IN_IMAGE)
                    .map(found -> {
                        try (Fd opened = found) {
                            return DirectoryEntries.of(opened, MOST_LOOKED_AT).stream()
                                    .filter(name -> NAME.matcher(name).matches())
                                    .sorted()
                                    .toList();
                        }
                    })
                    .orElse(List.of());
        } catch (ErrnoException e) {
            return List.of(); // a path through something else
        }
    }

    /// True for a file that no link leads to.
    static boolean isFile(Fd root, String path) {
        try {
            return FileSystem.find(root, path, FileSystem.O_PATH, NO_LINK)
                    .filter(found -> {
                        try (Fd file = found) {
                            return FileSystem.status(file).isRegularFile();
                        }
                    })
                    .isPresent();
        } catch (ErrnoException e) {
            return false;
        }
    }
}
