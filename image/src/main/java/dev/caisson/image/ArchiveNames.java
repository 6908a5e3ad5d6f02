package dev.caisson.image;

import dev.caisson.image.ImageException.Code;
import dev.caisson.text.Quoted;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/// The members of an image's archive by their names. Links lead to other members only, and nowhere else.
///
/// @param <T> what is known of a member
final class ArchiveNames<T> {
    private static final int MOST_LINKS = 8;

    private final String archive;
    private final int most;
    private final Map<String, T> members = new HashMap<>();
    private final Map<String, String> links = new HashMap<>();
    private final UnpackBudget names = new UnpackBudget(UnpackLimits.DEFAULT, 0);

    /// @param archive what messages call it
    /// @param most members
    ArchiveNames(String archive, int most) {
        this.archive = archive;
        this.most = most;
    }

    /// Adds a file, or a link in place of one.
    /// @param member for a file only
    void add(TarEntry entry, T member) {
        String name = normalized(entry.name());
        boolean isLink = entry.kind() == TarEntry.Kind.SYMBOLIC_LINK || entry.kind() == TarEntry.Kind.HARD_LINK;
        boolean isDouble = isLink
                ? members.containsKey(name) || links.put(name, target(name, entry)) != null
                : links.containsKey(name) || members.put(name, member) != null;
        if (isDouble) {
            throw bad("has " + Quoted.of(name) + " twice");
        }
    }

    private static String target(String name, TarEntry entry) {
        boolean isSymbolic = entry.kind() == TarEntry.Kind.SYMBOLIC_LINK;
        String from = isSymbolic ? name.substring(0, name.lastIndexOf('/') + 1) : "";
        return normalized(from + entry.linkTarget());
    }

    /// Checks a member before anything of it is read.
    /// @return true if it is a file or a link
    boolean accepts(TarEntry entry) {
        String name = normalized(entry.name());
        if (members.size() + links.size() >= most) {
            throw new ImageException(Code.TOO_LARGE, archive + " has more than " + most + " members; no image has");
        }
        names.remember(name);
        names.remember(entry.linkTarget());
        return switch (entry.kind()) {
            case FILE -> {
                if (entry.segments().size() > 1
                        || (entry.size() > 0 && entry.segments().isEmpty())) {
                    throw bad("has the sparse member " + Quoted.of(name));
                }
                yield true;
            }
            case SYMBOLIC_LINK, HARD_LINK -> true;
            case DIRECTORY -> false;
            case FIFO, CHARACTER_DEVICE, BLOCK_DEVICE -> throw bad("has the special file " + Quoted.of(name));
        };
    }

    /// Returns a name with `.` and `..` taken out; what would lead above is kept below.
    static String normalized(String name) {
        var parts = new ArrayList<String>();
        for (String part : name.split("/", -1)) {
            if (part.equals("..") && !parts.isEmpty()) {
                parts.removeLast();
            } else if (!part.isEmpty() && !part.equals(".") && !part.equals("..")) {
                parts.add(part);
            }
        }
        return String.join("/", parts);
    }

    boolean has(String name) {
        return members.containsKey(name);
    }

    Optional<T> find(String name) {
        return Optional.ofNullable(members.get(name));
    }

    /// Returns the member of a name, behind links.
    T get(String name) {
        String current = name;
        for (int i = 0; i <= MOST_LINKS; i++) {
            T member = members.get(current);
            if (member != null) {
                return member;
            }
            String next = links.get(current);
            if (next == null) {
                throw bad("names " + Quoted.of(name) + ", which is not in it");
            }
            current = next;
        }
        throw bad("has links from " + Quoted.of(name) + " on that do not end");
    }

    ImageException bad(String fault) {
        return new ImageException(Code.BAD_MANIFEST, archive + " " + fault + "; save the image again");
    }
}
