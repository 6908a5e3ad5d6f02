package dev.caisson.seccomp;

import dev.caisson.seccomp.SeccompException.Code;
import io.avaje.json.JsonReader;
import io.avaje.json.stream.JsonStream;
import java.math.BigInteger;
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
import java.util.function.Supplier;

/// Reads a profile strictly: a key, action, operator, flag, architecture or capability that is not known, a key given
/// twice, and a value of the wrong type are errors that name their place. System call names are free, since a profile
/// names calls of many ABIs and kernels.
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

    private static final BigInteger TWO_64 = BigInteger.ONE.shiftLeft(64);

    private final JsonReader json;
    private final String end;
    private String place = "";

    private ProfileReader(JsonReader json, String end) {
        this.json = json;
        this.end = end;
    }

    /// The text is read as the first member of an object that must have just one more, so that a profile which ends
    /// too early or is followed by something is an error: the parser itself stops at the closing brace.
    static Profile read(String text) {
        String end = "end-" + Integer.toHexString(text.hashCode());
        try (JsonReader json = JsonStream.builder().build().reader("{\"profile\":" + text + ",\"" + end + "\":0}")) {
            json.beginObject();
            if (text.isBlank() || !json.hasNextField() || !json.nextField().equals("profile")) {
                throw new SeccompException(Code.JSON_SYNTAX, "the profile is empty");
            }
            Profile profile = new ProfileReader(json, end).profile();
            if (!json.hasNextField() || !json.nextField().equals(end)) {
                throw new SeccompException(
                        Code.JSON_SYNTAX, "the profile is followed by something; it is one JSON object");
            }
            return profile;
        } catch (SeccompException e) {
            throw e;
        } catch (RuntimeException e) {
            throw new SeccompException(Code.JSON_SYNTAX, "the profile is not well-formed JSON: " + e.getMessage(), e);
        }
    }

    private Profile profile() {
        var fields = new ProfileFields();
        object(key -> {
            switch (key) {
                case "defaultAction" -> fields.defaultAction = Optional.of(kind());
                case "defaultErrnoRet" -> fields.defaultErrnoRet = OptionalInt.of(number());
                case "defaultErrno" -> fields.defaultErrno = errnoName();
                case "architectures" -> fields.architectures = Optional.of(strings(this::architectureName));
                case "archMap" -> fields.archMap = Optional.of(archMap());
                case "flags" -> fields.flags.addAll(list(this::flag));
                case "listenerPath" -> fields.listenerPath = string();
                case "listenerMetadata" -> fields.listenerMetadata = string();
                case "syscalls" -> fields.rules.addAll(list(this::rule));
                default -> throw unknownKey(key);
            }
        });
        return fields.build(this);
    }

    /// What stands in a profile's outermost object, as long as it is being read.
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
        for (ArchRow row : list(this::archRow)) {
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
        object(key -> {
            switch (key) {
                case "architecture" -> name.append(architectureName());
                case "subArchitectures" -> others.addAll(strings(this::architectureName));
                default -> throw unknownKey(key);
            }
        });
        require(!name.isEmpty(), "architecture");
        return new ArchRow(name.toString(), others);
    }

    private Rule rule() {
        var names = new ArrayList<String>();
        var fields = new LinkedHashMap<String, Selector>();
        var conditions = new ArrayList<Condition>();
        var comment = new StringBuilder();
        var kind = new ArrayList<Action.Kind>();
        var errnos = new EnumMap<ErrnoForm, OptionalInt>(ErrnoForm.class);
        Set<String> keys = object(key -> {
            switch (key) {
                case "name" -> names.add(syscallName());
                case "names" -> names.addAll(strings(this::syscallName));
                case "action" -> kind.add(kind());
                case "errnoRet" -> errnos.put(ErrnoForm.NUMBER, OptionalInt.of(number()));
                case "errno" -> errnos.put(ErrnoForm.NAME, errnoName());
                case "args" -> conditions.addAll(list(this::condition));
                case "comment" -> comment.append(string());
                case "includes", "excludes" -> fields.put(key, selector());
                default -> throw unknownKey(key);
            }
        });
        if (keys.contains("name") && keys.contains("names")) {
            throw new SeccompException(Code.CONTRADICTION, at() + ": give name or names, not both");
        }
        require(!names.isEmpty(), "names");
        require(!kind.isEmpty(), "action");
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
        object(key -> {
            switch (key) {
                case "index", "value", "valueTwo" -> values.put(key, unsigned64());
                case "op" -> operator.add(operator());
                default -> throw unknownKey(key);
            }
        });
        require(values.containsKey("index"), "index");
        require(values.containsKey("value"), "value");
        require(!operator.isEmpty(), "op");
        long index = values.getOrDefault("index", 0L);
        if (Long.compareUnsigned(index, 5) > 0) {
            throw new SeccompException(
                    Code.BAD_ARGUMENT_INDEX,
                    at() + ": a call has arguments 0 to 5; there is no argument " + Long.toUnsignedString(index));
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
        object(key -> {
            switch (key) {
                case "caps" -> capabilities.addAll(strings(this::capability));
                case "arches" -> architectures.addAll(strings(this::string));
                case "minKernel" -> kernel.add(KernelVersion.parse(string()));
                default -> throw unknownKey(key);
            }
        });
        return new Selector(capabilities, architectures, kernel.stream().findFirst());
    }

    private Action action(Action.Kind kind, OptionalInt number, OptionalInt named) {
        if ((number.isPresent() || named.isPresent()) && !kind.takesData()) {
            throw new SeccompException(
                    Code.CONTRADICTION,
                    at() + ": an error number is for SCMP_ACT_ERRNO or SCMP_ACT_TRACE, not " + kind);
        }
        if (number.isPresent() && named.isPresent() && number.getAsInt() != named.getAsInt()) {
            throw new SeccompException(
                    Code.CONTRADICTION,
                    at() + ": the error number " + number.getAsInt() + " and its name " + Errnos.name(named.getAsInt())
                            + " differ");
        }
        int data = number.orElse(named.orElse(Action.EPERM));
        if (kind.takesData() && (data < 0 || data > Action.MAX_ERRNO)) {
            throw new SeccompException(
                    Code.VALUE_OUT_OF_RANGE,
                    at() + ": an error number lies between 0 and " + Action.MAX_ERRNO + ", not " + data);
        }
        return new Action(kind, kind.takesData() ? data : 0);
    }

    private Action.Kind kind() {
        String name = string();
        return Optional.ofNullable(ACTIONS.get(name))
                .orElseThrow(() -> new SeccompException(
                        Code.UNKNOWN_ACTION, at() + ": \"" + name + "\" is no action; SCMP_ACT_ALLOW is one"));
    }

    private Condition.Operator operator() {
        String name = string();
        for (Condition.Operator operator : Condition.Operator.values()) {
            if (name.equals("SCMP_CMP_" + operator)) {
                return operator;
            }
        }
        throw new SeccompException(
                Code.UNKNOWN_OPERATOR, at() + ": \"" + name + "\" is no comparison; SCMP_CMP_EQ is one");
    }

    private Profile.Flag flag() {
        String name = string();
        for (Profile.Flag flag : Profile.Flag.values()) {
            if (name.equals("SECCOMP_FILTER_FLAG_" + flag)) {
                return flag;
            }
        }
        throw new SeccompException(
                Code.UNKNOWN_FLAG, at() + ": \"" + name + "\" is no flag; SECCOMP_FILTER_FLAG_LOG is one");
    }

    private String architectureName() {
        String name = string();
        if (Architecture.ofScmpName(name).isEmpty() && !OTHER_ARCHITECTURES.contains(name)) {
            throw new SeccompException(
                    Code.UNKNOWN_ARCHITECTURE, at() + ": \"" + name + "\" is no architecture; SCMP_ARCH_X86_64 is one");
        }
        return name;
    }

    private String capability() {
        String name = string();
        Capabilities.mask(Set.of(name));
        return name;
    }

    private String syscallName() {
        String name = string();
        if (name.isEmpty()
                || !name.chars().allMatch(c -> c == '_' || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))) {
            throw new SeccompException(
                    Code.UNKNOWN_SYSCALL, at() + ": \"" + name + "\" cannot be the name of a system call");
        }
        return name;
    }

    private OptionalInt errnoName() {
        String name = string();
        OptionalInt number = Errnos.number(name);
        if (number.isEmpty() && !name.isEmpty()) {
            throw new SeccompException(
                    Code.UNKNOWN_ERRNO, at() + ": \"" + name + "\" is no error name; EPERM is one, see errno(3)");
        }
        return number;
    }

    private int number() {
        long value = unsigned64();
        if (Long.compareUnsigned(value, Action.MAX_ERRNO) > 0) {
            throw new SeccompException(
                    Code.VALUE_OUT_OF_RANGE,
                    at() + ": an error number lies between 0 and " + Action.MAX_ERRNO + ", not "
                            + Long.toUnsignedString(value));
        }
        return (int) value;
    }

    private long unsigned64() {
        expect(JsonReader.Token.NUMBER, "a whole number");
        BigInteger value;
        try {
            value = json.readDecimal().toBigIntegerExact();
        } catch (ArithmeticException e) {
            throw new SeccompException(Code.WRONG_TYPE, at() + ": a whole number is needed", e);
        }
        if (value.signum() < 0 || value.compareTo(TWO_64) >= 0) {
            throw new SeccompException(
                    Code.VALUE_OUT_OF_RANGE, at() + ": " + value + " does not fit an unsigned 64-bit number");
        }
        return value.longValue();
    }

    private String string() {
        expect(JsonReader.Token.STRING, "a string");
        return json.readString();
    }

    private interface Field {
        void read(String key);
    }

    /// Reads an object; `null` is read as an empty one, as Docker's own tools write it. Gives the keys that stood in
    /// it.
    private Set<String> object(Field field) {
        var keys = new HashSet<String>();
        if (json.isNullValue()) {
            return keys;
        }
        expect(JsonReader.Token.BEGIN_OBJECT, "an object");
        String outer = place;
        json.beginObject();
        while (json.hasNextField()) {
            String key = json.nextField();
            if (key.equals(end)) {
                throw new SeccompException(Code.JSON_SYNTAX, at() + " is not closed");
            }
            place = outer + "." + key;
            if (!keys.add(key)) {
                throw new SeccompException(Code.DUPLICATE_KEY, at() + " is given twice");
            }
            field.read(key);
        }
        json.endObject();
        place = outer;
        return keys;
    }

    private List<String> strings(Supplier<String> element) {
        return list(element);
    }

    private <T> List<T> list(Supplier<T> element) {
        var list = new ArrayList<T>();
        if (json.isNullValue()) {
            return list;
        }
        expect(JsonReader.Token.BEGIN_ARRAY, "a list");
        String outer = place;
        json.beginArray();
        while (json.hasNextElement()) {
            place = outer + "[" + list.size() + "]";
            list.add(element.get());
        }
        json.endArray();
        place = outer;
        return list;
    }

    private void expect(JsonReader.Token token, String what) {
        if (json.currentToken() != token) {
            throw new SeccompException(Code.WRONG_TYPE, at() + ": " + what + " is needed");
        }
    }

    private void require(boolean present, String key) {
        if (!present) {
            throw new SeccompException(Code.MISSING_KEY, at() + " has no " + key);
        }
    }

    private SeccompException unknownKey(String key) {
        return new SeccompException(
                Code.UNKNOWN_KEY, at() + ": the key \"" + key + "\" is not known; remove it or correct its spelling");
    }

    private String at() {
        return place.isEmpty() ? "the profile" : place.substring(1);
    }
}
