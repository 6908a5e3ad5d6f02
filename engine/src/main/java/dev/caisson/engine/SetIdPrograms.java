package dev.caisson.engine;

import static dev.caisson.error.ArgumentException.present;

import dev.caisson.state.KeptFile;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Programs that are set-user-ID or set-group-ID and that a process executed without effect, because
/// no_new_privs is on. [Obstacle#SET_ID_WITHOUT_EFFECT] names what lifts it.
///
/// @param files paths as the container sees them, each once, the first 32. The container chose the names: they
///     are no text for a terminal
/// @param missing why some may be missing; empty if none is
public record SetIdPrograms(List<String> files, String missing) {
    /// None were executed, or nobody watched because they have effect.
    public static final SetIdPrograms NONE = new SetIdPrograms(List.of(), "");

    /// The file of a container that is kept.
    static final String FILE = "set-id.json";

    static final String MORE = "there are more than are shown";
    static final String UNSEEN = "a program ended before it was seen who executed it";
    static final String LOST = "programs were executed faster than they were looked at";
    private static final String NOT_WATCHED = "executions cannot be watched";
    private static final String FILES = "setIdPrograms";
    private static final String MISSING = "setIdProgramsMissing";

    public SetIdPrograms {
        files = List.copyOf(present(files, "files"));
        present(missing, "missing");
    }

    static String notWatched(String why) {
        return NOT_WATCHED + " (" + why + ")";
    }

    static boolean isNotWatched(String missing) {
        return missing.startsWith(NOT_WATCHED);
    }

    void put(Map<String, Object> fields) {
        fields.put(FILES, files);
        fields.put(MISSING, missing);
    }

    /// Returns the fields for a file, by name.
    Map<String, Object> fields() {
        var fields = new LinkedHashMap<String, Object>();
        put(fields);
        return fields;
    }

    /// Reads what [#put] has written; none if an earlier version wrote the fields.
    static SetIdPrograms of(Map<?, ?> fields) {
        return fields.containsKey(FILES)
                ? new SetIdPrograms(KeptFile.texts(fields, FILES), KeptFile.text(fields, MISSING))
                : NONE;
    }
}
