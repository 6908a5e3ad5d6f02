package dev.caisson.build;

import dev.caisson.linux.DirectoryEntries;
import dev.caisson.linux.Errno;
import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileStatus;
import dev.caisson.linux.FileSystem;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/// A tree of files below an open directory: a build context, or the files of an image. Links are followed as somebody
/// would who has that directory as `/`, and every file is opened without following any: nothing leads out of it.
final class FileTree {
    private static final long BENEATH = FileSystem.RESOLVE_BENEATH | FileSystem.RESOLVE_NO_SYMLINKS;
    private static final int DIRECTORY = FileSystem.O_RDONLY | FileSystem.O_DIRECTORY | FileSystem.O_NOFOLLOW;
    private static final int FILE = FileSystem.O_RDONLY | FileSystem.O_NOFOLLOW | FileSystem.O_NONBLOCK;
    private static final int MOST_LINKS = 40;
    /// More names than a directory of any context has.
    private static final int MOST_NAMES = 2_000_000;

    private final Fd root;
    private final String name;
    private final Predicate<String> hidden;
    private final boolean showsBelowHidden;
    private final Optional<KnownContent> known;

    /// A file of the tree.
    /// @param path from the root, without a slash at its beginning; empty for the root itself
    record Node(String path, FileStatus status) {
        String last() {
            return path.substring(path.lastIndexOf('/') + 1);
        }

        Node below(String child, FileStatus childStatus) {
            return new Node(join(path, child), childStatus);
        }
    }

    /// The end of a path whose directories are there.
    /// @param path from the root, without links in it
    /// @param node what is there; empty for nothing
    record Resolved(String path, Optional<Node> node) {}

    /// @param root stays the caller's
    /// @param name for messages: `the build context`
    /// @param hidden paths that are not there for whoever looks
    /// @param showsBelowHidden whether something below a hidden directory may not be hidden
    FileTree(Fd root, String name, Predicate<String> hidden, boolean showsBelowHidden) {
        this(root, name, hidden, showsBelowHidden, Optional.empty());
    }

    private FileTree(
            Fd root, String name, Predicate<String> hidden, boolean showsBelowHidden, Optional<KnownContent> known) {
        this.known = known;
        this.root = root;
        this.name = name;
        this.hidden = hidden;
        this.showsBelowHidden = showsBelowHidden;
    }

    /// A tree of the host, whose files may be known from earlier builds.
    static FileTree ofHost(Fd root, String name, Predicate<String> hidden, boolean showsBelowHidden) {
        return new FileTree(root, name, hidden, showsBelowHidden, Optional.of(new KnownContent(root)));
    }

    String name() {
        return name;
    }

    /// Returns the digests of its files that are known; empty if none may be.
    Optional<KnownContent> known() {
        return known;
    }

    boolean isHidden(String path) {
        return hidden.test(path);
    }

    boolean mayShowBelowHidden() {
        return showsBelowHidden;
    }

    static String join(String directory, String name) {
        return directory.isEmpty() ? name : directory + "/" + name;
    }

    Node root() {
        return new Node("", FileSystem.status(root));
    }

    /// Follows a path and the links in it, the last one too.
    /// @param path absolute
    /// @throws BuildException BUILD_LINKS
    Resolved resolve(String path) {
        Deque<String> left = new ArrayDeque<>(parts(path));
        Deque<String> done = new ArrayDeque<>();
        int links = 0;
        boolean missing = false;
        Optional<FileStatus> latest = Optional.of(FileSystem.status(root));
        while (!left.isEmpty()) {
            String part = left.removeFirst();
            if (part.equals("..")) {
                done.pollLast();
                latest = status(String.join("/", done));
                missing = latest.isEmpty();
                continue;
            }
            if (missing) {
                done.addLast(part);
                continue;
            }
            String here = join(String.join("/", done), part);
            latest = status(here);
            if (latest.isPresent() && latest.get().isSymbolicLink()) {
                if (++links > MOST_LINKS) {
                    throw new BuildException(
                            "BUILD_LINKS", "links of " + name + " lead round and round at /" + here + ": mend them");
                }
                String target = readLink(new Node(here, latest.get()));
                if (target.startsWith("/")) {
                    done.clear();
                }
                List<String> steps = parts(target);
                for (String step : steps.reversed()) {
                    left.addFirst(step);
                }
                latest = status(String.join("/", done));
            } else {
                missing = latest.isEmpty();
                done.addLast(part);
            }
        }
        String real = String.join("/", done);
        return new Resolved(real, latest.map(status -> new Node(real, status)));
    }

    private static List<String> parts(String path) {
        var parts = new ArrayList<String>();
        for (String part : path.split("/", -1)) {
            if (!part.isEmpty() && !part.equals(".")) {
                parts.add(part);
            }
        }
        return parts;
    }

    /// Returns what is at a path without links, itself not followed.
    Optional<FileStatus> status(String path) {
        if (path.isEmpty()) {
            return Optional.of(FileSystem.status(root));
        }
        int slash = path.lastIndexOf('/');
        if (slash < 0) {
            return FileSystem.findStatus(root, path);
        }
        try (Fd above = FileSystem.openAt(
                root, path.substring(0, slash), FileSystem.O_PATH | FileSystem.O_DIRECTORY, 0, BENEATH)) {
            return FileSystem.findStatus(above, path.substring(slash + 1));
        } catch (ErrnoException e) {
            if (isAbsent(e)) {
                return Optional.empty();
            }
            throw e;
        }
    }

    private static boolean isAbsent(ErrnoException e) {
        return e.is(Errno.ENOENT) || e.is(Errno.ENOTDIR) || e.is(Errno.ELOOP) || e.is(Errno.ENAMETOOLONG);
    }

    /// Returns where a link leads that was seen before.
    /// @throws BuildException BUILD_CHANGED if it is none now
    String readLink(Node link) {
        try {
            return readLink(link.path());
        } catch (ErrnoException e) {
            throw changed(link, e);
        }
    }

    private String readLink(String path) {
        int slash = path.lastIndexOf('/');
        if (slash < 0) {
            return FileSystem.readLink(root, path);
        }
        try (Fd above = FileSystem.openAt(
                root, path.substring(0, slash), FileSystem.O_PATH | FileSystem.O_DIRECTORY, 0, BENEATH)) {
            return FileSystem.readLink(above, path.substring(slash + 1));
        }
    }

    /// Opens a regular file that was seen before.
    /// @throws BuildException BUILD_CHANGED if it is another one now
    Fd open(Node node) {
        Fd file;
        try {
            file = FileSystem.openAt(root, node.path(), FILE, 0, BENEATH);
        } catch (ErrnoException e) {
            throw changed(node, e);
        }
        if (FileSystem.status(file).isRegularFile()) {
            return file;
        }
        file.close();
        throw changed(node, null);
    }

    BuildException changed(Node node, @Nullable ErrnoException e) {
        known.ifPresent(digests -> digests.forget(node));
        String sentence = "/" + node.path() + " of " + name + " changed while it was read: build again";
        return e == null
                ? new BuildException("BUILD_CHANGED", sentence)
                : new BuildException("BUILD_CHANGED", null, sentence, e);
    }

    /// Lists a directory in the order of its names.
    List<Node> list(Node directory) {
        String path = directory.path().isEmpty() ? "." : directory.path();
        try (Fd opened = FileSystem.openAt(root, path, DIRECTORY, 0, BENEATH)) {
            var nodes = new ArrayList<Node>();
            for (String child :
                    DirectoryEntries.of(opened, MOST_NAMES).stream().sorted().toList()) {
                FileSystem.findStatus(opened, child).ifPresent(status -> nodes.add(directory.below(child, status)));
            }
            return nodes;
        } catch (ErrnoException e) {
            throw changed(directory, e);
        }
    }
}
