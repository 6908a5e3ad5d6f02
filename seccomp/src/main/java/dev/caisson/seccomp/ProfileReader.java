package dev.caisson.seccomp;

import dev.caisson.seccomp.SeccompException.Code;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/// Reads a profile strictly: a key, action, operator, flag, architecture or capability that is not known is an error
/// that names its place. System call names are free, since a profile names calls of many ABIs and kernels.
final class ProfileReader {
    private static final Map<String, Action.Kind> ACTIONS = Map.of(
            "SCMP_ACT_KILL", Action.Kind.KILL_THREAD,
            "SCMP_ACT_KILL_THREAD", Action.Kind.KILL_THREAD,
            "SCMP_ACT_KILL_PROCESS", Action.Kind.KILL_PROCESS,
            "SCMP_ACT_TRAP", Action.Kind.TRAP,
            "SCMP_ACT_ERRNO", Action.Kind.ERRNO,
            "SCMP_ACT_NOTIFY", Action.Kind.NOTIFY,
            "SCMP_ACT_TRACE", Action.Kind.TRACE,
            "SCMP_ACT_LOG", Action.Kind.LOG,
            "SCMP_ACT_ALLOW", Action.Kind.ALLOW);

    /// Architectures of the OCI specification for which there is no table: listed in profiles, of no effect here.
    private static final Set<String> OTHER_ARCHITECTURES = Set.of(
            "SCMP_ARCH_MIPS",
            "SCMP_ARCH_MIPS64",
            "SCMP_ARCH_MIPS64N32",
            "SCMP_ARCH_MIPSEL",
            "SCMP_ARCH_MIPSEL64",
            "SCMP_ARCH_MIPSEL64N32",
            "SCMP_ARCH_PPC",
            "SCMP_ARCH_PPC64",
            "SCMP_ARCH_S390",
            "SCMP_ARCH_PARISC",
            "SCMP_ARCH_PARISC64",
            "SCMP_ARCH_M68K",
            "SCMP_ARCH_SH",
            "SCMP_ARCH_SHEB");

    private final ProfileJson json;

    private ProfileReader(ProfileJson json) {
        this.json = json;
    }

    static Profile read(String text) {
        return ProfileJson.read(text, json -> new ProfileReader(json).profile());
    }

    private Profile profile() {
        var fields = new ProfileFields();
        json.object(key -> {
            switch (key) {
                case "defaultAction" -> fields.defaultAction = Optional.of(kind());
                case "defaultErrnoRet" -> fields.defaultErrnoRet = OptionalInt.of(number());
                case "defaultErrno" -> fields.defaultErrno = errnoName();
                case "architectures" -> fields.architectures = Optional.of(json.list(this::architectureName));
                case "archMap" -> fields.archMap = Optional.of(archMap());
                case "flags" -> fields.flags.addAll(json.list(this::flag));
                case "listenerPath" -> fields.listenerPath = json.string();
                case "listenerMetadata" -> fields.listenerMetadata = json.string();
                case "syscalls" -> fields.rules.addAll(json.list(this::rule));
                default -> throw json.unknownKey(key);
            }
        });
        return fields.build(this);
    }

    /// The fields of a profile's outermost object while it is read.
    private static final class ProfileFields {
        private Optional<Action.Kind> defaultAction = Optional.empty();
        private OptionalInt defaultErrnoRet = OptionalInt.empty();
        private OptionalInt defaultErrno = OptionalInt.empty();
        private Optional<List<String>> architectures = Optional.empty();
        private Optional<Map<Architecture, Set<Architecture>>> archMap = Optional.empty();
        private final Set<Profile.Flag> flags = EnumSet.noneOf(Profile.Flag.class);
        private String listenerPath = "";
        private String listenerMetadata = "";
        private final List<Rule> rules = new ArrayList<>();

        private Profile build(ProfileReader reader) {
            Action.Kind kind = defaultAction.orElseThrow(() -> new SeccompException(
                    Code.MISSING_KEY, "the profile has no defaultAction; write SCMP_ACT_ERRNO to deny by default"));
            if (architectures.filter(list -> !list.isEmpty()).isPresent()
                    && archMap.filter(map -> !map.isEmpty()).isPresent()) {
                throw new SeccompException(Code.CONTRADICTION, "give architectures or archMap, not both");
            }
            if (!listenerMetadata.isEmpty() && listenerPath.isEmpty()) {
                throw new SeccompException(
                        Code.CONTRADICTION,
                        "listenerMetadata is for a listener; give listenerPath too, or leave it out");
            }
            return new Profile(
                    reader.action(kind, defaultErrnoRet, defaultErrno),
                    archMap.orElseGet(() -> abisOf(architectures.orElse(List.of()))),
                    flags,
                    listenerPath,
                    listenerMetadata,
                    rules);
        }

        private static Map<Architecture, Set<Architecture>> abisOf(List<String> names) {
            Set<Architecture> listed = EnumSet.noneOf(Architecture.class);
            names.forEach(name -> Architecture.ofScmpName(name).ifPresent(listed::add));
            var abis = new EnumMap<Architecture, Set<Architecture>>(Architecture.class);
            for (Architecture machine : Architecture.values()) {
                Set<Architecture> others = new HashSet<>(machine.compatible());
                others.retainAll(listed);
                abis.put(machine, others);
            }
            return abis;
        }
    }

    private Map<Architecture, Set<Architecture>> archMap() {
        var abis = new EnumMap<Architecture, Set<Architecture>>(Architecture.class);
        for (ArchRow row : json.list(this::archRow)) {
            Set<Architecture> others = EnumSet.noneOf(Architecture.class);
            row.others().forEach(name -> Architecture.ofScmpName(name).ifPresent(others::add));
            Architecture.ofScmpName(row.name()).ifPresent(architecture -> abis.put(architecture, others));
        }
        return abis;
    }

    private record ArchRow(String name, List<String> others) {}

    private ArchRow archRow() {
        var name = new StringBuilder();
        var others = new ArrayList<String>();
        json.object(key -> {
            switch (key) {
                case "architecture" -> name.append(architectureName());
                case "subArchitectures" -> others.addAll(json.list(this::architectureName));
                default -> throw json.unknownKey(key);
            }
        });
        json.require(!name.isEmpty(), "architecture");
        return new ArchRow(name.toString(), others);
    }

    private Rule rule() {
        var names = new ArrayList<String>();
        var fields = new LinkedHashMap<String, Selector>();
        var conditions = new ArrayList<Condition>();
        var comment = new StringBuilder();
        var kind = new ArrayList<Action.Kind>();
        var errnos = new EnumMap<ErrnoForm, OptionalInt>(ErrnoForm.class);
        Set<String> keys = json.object(key -> {
            switch (key) {
                case "name" -> names.add(syscallName());
                case "names" -> names.addAll(json.list(this::syscallName));
                case "action" -> kind.add(kind());
                case "errnoRet" -> errnos.put(ErrnoForm.NUMBER, OptionalInt.of(number()));
                case "errno" -> errnos.put(ErrnoForm.NAME, errnoName());
                case "args" -> conditions.addAll(json.list(this::condition));
                case "comment" -> comment.append(json.string());
                case "includes", "excludes" -> fields.put(key, selector());
                default -> throw json.unknownKey(key);
            }
        });
        if (keys.contains("name") && keys.contains("names")) {
            throw new SeccompException(Code.CONTRADICTION, json.at() + ": give name or names, not both");
        }
        json.require(!names.isEmpty(), "names");
        json.require(!kind.isEmpty(), "action");
        Action action = action(
                kind.getFirst(),
                errnos.getOrDefault(ErrnoForm.NUMBER, OptionalInt.empty()),
                errnos.getOrDefault(ErrnoForm.NAME, OptionalInt.empty()));
        return new Rule(
                names,
                action,
                conditions,
                fields.getOrDefault("includes", Selector.NONE),
                fields.getOrDefault("excludes", Selector.NONE),
                comment.toString());
    }

    private enum ErrnoForm {
        NUMBER,
        NAME
    }

    private Condition condition() {
        var values = new LinkedHashMap<String, Long>();
        var operator = new ArrayList<Condition.Operator>();
        json.object(key -> {
            switch (key) {
                case "index", "value", "valueTwo" -> values.put(key, json.unsigned64());
                case "op" -> operator.add(operator());
                default -> throw json.unknownKey(key);
            }
        });
        json.require(values.containsKey("index"), "index");
        json.require(values.containsKey("value"), "value");
        json.require(!operator.isEmpty(), "op");
        long index = values.getOrDefault("index", 0L);
        if (Long.compareUnsigned(index, 5) > 0) {
            throw new SeccompException(
                    Code.BAD_ARGUMENT_INDEX,
                    json.at() + ": a call has arguments 0 to 5; there is no argument " + Long.toUnsignedString(index));
        }
        return new Condition(
                (int) index,
                operator.getFirst(),
                values.getOrDefault("value", 0L),
                values.getOrDefault("valueTwo", 0L));
    }

    private Selector selector() {
        var capabilities = new HashSet<String>();
        var architectures = new HashSet<String>();
        var kernel = new ArrayList<KernelVersion>();
        json.object(key -> {
            switch (key) {
                case "caps" -> capabilities.addAll(json.list(this::capability));
                case "arches" -> architectures.addAll(json.list(json::string));
                case "minKernel" -> kernel.add(KernelVersion.parse(json.string()));
                default -> throw json.unknownKey(key);
            }
        });
        return new Selector(capabilities, architectures, kernel.stream().findFirst());
    }

    private Action action(Action.Kind kind, OptionalInt number, OptionalInt named) {
        if ((number.isPresent() || named.isPresent()) && !kind.takesData()) {
            throw new SeccompException(
                    Code.CONTRADICTION,
                    json.at() + ": an error number is for SCMP_ACT_ERRNO or SCMP_ACT_TRACE, not " + kind);
        }
        if (number.isPresent() && named.isPresent() && number.getAsInt() != named.getAsInt()) {
            throw new SeccompException(
                    Code.CONTRADICTION,
                    json.at() + ": the error number " + number.getAsInt() + " and its name "
                            + Errnos.name(named.getAsInt()) + " differ");
        }
        int data = number.orElse(named.orElse(Action.EPERM));
        if (kind.takesData() && (data < 0 || data > Action.MAX_ERRNO)) {
            throw new SeccompException(
                    Code.VALUE_OUT_OF_RANGE,
                    json.at() + ": an error number lies between 0 and " + Action.MAX_ERRNO + ", not " + data);
        }
        return new Action(kind, kind.takesData() ? data : 0);
    }

    private Action.Kind kind() {
        String name = json.string();
        return Optional.ofNullable(ACTIONS.get(name))
                .orElseThrow(() -> new SeccompException(
                        Code.UNKNOWN_ACTION, json.at() + ": \"" + name + "\" is no action; SCMP_ACT_ALLOW is one"));
    }

    private Condition.Operator operator() {
        String name = json.string();
        for (Condition.Operator operator : Condition.Operator.values()) {
            if (name.equals("SCMP_CMP_" + operator)) {
                return operator;
            }
        }
        throw new SeccompException(
                Code.UNKNOWN_OPERATOR, json.at() + ": \"" + name + "\" is no comparison; SCMP_CMP_EQ is one");
    }

    private Profile.Flag flag() {
        String name = json.string();
        for (Profile.Flag flag : Profile.Flag.values()) {
            if (name.equals("SECCOMP_FILTER_FLAG_" + flag)) {
                return flag;
            }
        }
        throw new SeccompException(
                Code.UNKNOWN_FLAG, json.at() + ": \"" + name + "\" is no flag; SECCOMP_FILTER_FLAG_LOG is one");
    }

    private String architectureName() {
        String name = json.string();
        if (Architecture.ofScmpName(name).isEmpty() && !OTHER_ARCHITECTURES.contains(name)) {
            throw new SeccompException(
                    Code.UNKNOWN_ARCHITECTURE,
                    json.at() + ": \"" + name + "\" is no architecture; SCMP_ARCH_X86_64 is one");
        }
        return name;
    }

    private String capability() {
        String name = json.string();
        Capabilities.mask(Set.of(name));
        return name;
    }

    private String syscallName() {
        String name = json.string();
        boolean isName = !name.isEmpty();
        for (int at = 0; at < name.length(); at++) {
            char c = name.charAt(at);
            isName &= c == '_' || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        }
        if (!isName) {
            throw new SeccompException(
                    Code.UNKNOWN_SYSCALL, json.at() + ": \"" + name + "\" cannot be the name of a system call");
        }
        return name;
    }

    private OptionalInt errnoName() {
        String name = json.string();
        OptionalInt number = Errnos.number(name);
        if (number.isEmpty() && !name.isEmpty()) {
            throw new SeccompException(
                    Code.UNKNOWN_ERRNO, json.at() + ": \"" + name + "\" is no error name; EPERM is one, see errno(3)");
        }
        return number;
    }

    private int number() {
        long value = json.unsigned64();
        if (Long.compareUnsigned(value, Action.MAX_ERRNO) > 0) {
            throw new SeccompException(
                    Code.VALUE_OUT_OF_RANGE,
                    json.at() + ": an error number lies between 0 and " + Action.MAX_ERRNO + ", not "
                            + Long.toUnsignedString(value));
        }
        return (int) value;
    }
}
