import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Pattern;

/// A room and those that it stands on.
///
/// @param top whose tests are run, in its directory
/// @param uses each of the rooms, with those that it uses, directly or not
record House(Path root, String top, Map<String, Set<String>> uses) {
    private static final Pattern USED = Pattern.compile("<artifactId>caisson-(\\w+)</artifactId>");

    static House of(Path clone, String top) {
        var uses = new TreeMap<String, Set<String>>();
        add(clone, top, uses);
        return new House(clone, top, uses);
    }

    private static Set<String> add(Path clone, String room, Map<String, Set<String>> uses) {
        Set<String> known = uses.get(room);
        if (known != null) {
            return known;
        }
        var all = new HashSet<String>(Set.of(room));
        try {
            USED.matcher(Files.readString(clone.resolve(room + "/pom.xml"))).results().map(found -> found.group(1))
                    .filter(used -> !used.equals(room) && Files.exists(clone.resolve(used + "/pom.xml")))
                    .forEach(used -> all.addAll(add(clone, used, uses)));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        uses.put(room, all);
        return all;
    }

    Set<String> rooms() {
        return uses.keySet();
    }

    boolean uses(String room, String other) {
        return uses.get(room).contains(other);
    }
}
