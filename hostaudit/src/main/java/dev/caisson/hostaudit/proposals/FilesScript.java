package dev.caisson.hostaudit.proposals;

import dev.caisson.audit.Finding;
import dev.caisson.audit.Proposal;
import dev.caisson.audit.Report;
import dev.caisson.audit.ShellText;
import dev.caisson.audit.Status;
import dev.caisson.audit.Subject;
import dev.caisson.hostaudit.facts.EngineFacts.EngineProcess;
import dev.caisson.hostaudit.facts.Facts;
import dev.caisson.hostaudit.facts.HostFacts.FileFact;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// The script that gives audited files the owner that their checks want and takes mode bits away. It never adds a
/// bit. Whoever can write to a directory can put a link or another file in the place of what was audited: open
/// directories are closed before anything in them is touched, from the top, and a file that is another one by
/// then is left alone.
final class FilesScript {
    private static final int KEY = 0400;
    private static final Pattern MODE = Pattern.compile("chmod (0[0-7]{3}) it");
    private static final Pattern OWNER = Pattern.compile("chown (root:[a-z]+) it");
    private static final Pattern OPEN = Pattern.compile("(/.*) [0-7]{4} uid (\\d+)");
    private static final String START = Proposal.MARK + """

            # sh files.sh [ROOT]: ROOT is where the host's root directory is mounted.
            set -eu
            root=${1:-}
            left=0

            # A directory that is root's, and no link: nobody but root may write to it.
            close() {
                if [ -L "$1" ] || [ ! -d "$1" ] || [ "$(stat -c %u "$1")" != 0 ]; then
                    echo "files.sh: $1 is not the directory that was audited; nothing more is changed" >&2
                    exit 1
                fi
                chmod go-w "$1"
            }

            # Whether this is the file that was audited, by its device and inode.
            same() {
                if [ ! -L "$1" ] && [ "$(stat -c %d:%i "$1")" = "$2" ]; then
                    return 0
                fi
                echo "files.sh: $1 is not the file that was audited; it is left as it is, audit it again" >&2
                left=1
                return 1
            }

            """;

    private final Facts facts;
    private final Set<String> parents =
            new TreeSet<>(Comparator.comparingInt(String::length).thenComparing(Comparator.naturalOrder()));
    private final Map<FileFact, Set<String>> commands = new LinkedHashMap<>();
    private final List<Finding> findings = new ArrayList<>();
    private final Set<String> refused = new LinkedHashSet<>();

    private FilesScript(Facts facts) {
        this.facts = facts;
    }

    static FilesScript of(Report report, Facts facts) {
        FilesScript script = new FilesScript(facts);
        report.findings().stream()
                .filter(finding ->
                        finding.status() == Status.FAIL && finding.subject().kind() == Subject.Kind.FILE)
                .forEach(script::add);
        return script;
    }

    /// Returns what is left to people, and why.
    List<String> refused() {
        return List.copyOf(refused);
    }

    /// The findings that the script settles.
    List<Finding> findings() {
        return List.copyOf(findings);
    }

    /// Empty where it would do nothing.
    Optional<String> text() {
        if (findings.isEmpty()) {
            return Optional.empty();
        }
        StringBuilder text = new StringBuilder(START);
        parents.forEach(parent -> text.append("close ").append(inScript(parent)).append('\n'));
        commands.forEach((file, changes) -> {
            text.append("if same ").append(inScript(file.resolved()));
            text.append(' ').append(identity(file)).append("; then\n");
            changes.forEach(change -> text.append("    ")
                    .append(change)
                    .append(' ')
                    .append(inScript(file.resolved()))
                    .append('\n'));
            text.append("fi\n");
        });
        return Optional.of(text.append("exit $left\n").toString());
    }

    private void add(Finding finding) {
        String path = finding.subject().name();
        Optional<FileFact> found = facts.host().files().values().stream()
                .filter(file -> file.resolved().equals(path))
                .findFirst();
        Matcher owner = OWNER.matcher(finding.check().fix());
        Matcher mode = MODE.matcher(finding.check().fix());
        boolean owned = owner.find();
        if (found.isEmpty() || !path.startsWith("/") || !ShellText.isPlain(path) || !(owned || mode.find())) {
            return;
        }
        FileFact file = found.get();
        Optional<Long> engine = facts.engines().stream()
                .flatMap(asked -> asked.process().stream())
                .map(EngineProcess::uid)
                .filter(uid -> uid != 0)
                .filter(uid -> facts.engines().size() == 1 || file.uid() == uid)
                .findFirst();
        if (engine.isPresent()) {
            refused.add("the engine runs as uid " + engine.get() + ": who owns its files is for you to decide");
            return;
        }
        Optional<Set<String>> open = openParents(file);
        if (open.isEmpty()) {
            return;
        }
        parents.addAll(open.get());
        findings.add(finding);
        List<String> changes = owned
                ? List.of("chown -h " + owner.group(1))
                : closing(file, file.isRegistryKey() ? KEY : Integer.parseInt(mode.group(1), 8));
        if (!changes.isEmpty()) {
            commands.computeIfAbsent(file, key -> new LinkedHashSet<>()).addAll(changes);
        }
    }

    /// The directories to close, empty where one of them is not root's: it is somebody's own.
    private Optional<Set<String>> openParents(FileFact file) {
        Set<String> open = new LinkedHashSet<>();
        for (String parent : file.openParents()) {
            Matcher parts = OPEN.matcher(parent);
            if (!parts.matches() || !ShellText.isPlain(parts.group(1))) {
                refused.add("a directory above " + ShellText.path(file.resolved()) + " has a name that a script"
                        + " cannot carry");
                return Optional.empty();
            }
            if (!parts.group(2).equals("0")) {
                refused.add(ShellText.path(parts.group(1)) + " belongs to uid " + parts.group(2)
                        + ": neither it nor a file below it is changed for you");
                return Optional.empty();
            }
            open.add(parts.group(1));
        }
        return Optional.of(open);
    }

    /// Without its access control list a file's group has what the list's entry for it says, which the mode
    /// bits of before do not tell, acl(5).
    private static List<String> closing(FileFact file, int widest) {
        if (!file.grants().isEmpty()) {
            return List.of("setfacl -b", "chmod " + without(~(file.mode() & widest) & 0777));
        }
        int extra = file.mode() & ~widest & 0777;
        return extra == 0 ? List.of() : List.of("chmod " + without(extra));
    }

    private static String without(int bits) {
        List<String> words = new ArrayList<>();
        for (int who = 0; who < 3; who++) {
            int theirs = bits >> (6 - 3 * who) & 7;
            if (theirs != 0) {
                words.add("ugo".charAt(who) + "-" + ((theirs & 4) != 0 ? "r" : "") + ((theirs & 2) != 0 ? "w" : "")
                        + ((theirs & 1) != 0 ? "x" : ""));
            }
        }
        return String.join(",", words);
    }

    /// Returns what `stat -c %d:%i` prints: the device as makedev(3) packs it.
    private static String identity(FileFact file) {
        long major = file.device() >>> 32;
        long minor = file.device() & 0xFFFF_FFFFL;
        long device = (minor & 0xFF) | (major & 0xFFF) << 8 | (minor & ~0xFFL) << 12 | (major & ~0xFFFL) << 32;
        return Long.toUnsignedString(device) + ":" + Long.toUnsignedString(file.inode());
    }

    private static String inScript(String path) {
        return "\"$root\"" + ShellText.path(path);
    }
}
