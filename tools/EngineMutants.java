import static java.lang.constant.ConstantDescs.CD_String;

import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassHierarchyResolver;
import java.lang.classfile.ClassModel;
import java.lang.classfile.CodeBuilder;
import java.lang.classfile.CodeElement;
import java.lang.classfile.CodeModel;
import java.lang.classfile.MethodModel;
import java.lang.classfile.Opcode;
import java.lang.classfile.TypeKind;
import java.lang.classfile.instruction.BranchInstruction;
import java.lang.classfile.instruction.ConstantInstruction;
import java.lang.classfile.instruction.FieldInstruction;
import java.lang.classfile.instruction.IncrementInstruction;
import java.lang.classfile.instruction.InvokeInstruction;
import java.lang.classfile.instruction.LineNumber;
import java.lang.classfile.instruction.OperatorInstruction;
import java.lang.classfile.instruction.ReturnInstruction;
import java.lang.classfile.instruction.StackInstruction;
import java.lang.constant.ClassDesc;
import java.lang.constant.MethodTypeDesc;
import java.net.MalformedURLException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.CodeSource;
import java.security.MessageDigest;
import java.security.ProtectionDomain;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.platform.engine.CancellationToken;
import org.junit.platform.engine.DiscoverySelector;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.engine.discovery.DiscoverySelectors;
import org.junit.platform.launcher.TagFilter;
import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestIdentifier;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherExecutionRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;

/// Puts one small mistake at a time into classes whose tests need root and are slow, and runs the tests that come to it.
///
/// usage: java -cp CLASSPATH EngineMutants.java CLONE SCRATCH SECONDS SEED TESTS.txt [CLASS...]
///
/// They are tried in an order that SEED fixes, and what is printed ends at the first that was not tried, so that a part
/// is a random sample of all. TESTS.txt names the classes and, for each, the test classes that are tried first. Which tests come to which line is
/// found out once for each test class. Results are kept in SCRATCH/results.tsv, by the content of the class and of the
/// test that killed it, or of all tests. The tests run in a process of their own that is replaced when a mistake hangs it or leaves something behind. It must be
/// started in mount and process namespaces of its own: a mistake may well be one that harms the host.
final class EngineMutants {
    /// The room that the tests of all need, and the one whose directory they run in.
    private static final String TOP = "engine";
    private static final long MOST_TEST_MILLIS = 15_000;
    private static final long GRACE_MILLIS = 20_000;
    private static final String BY_TIME = "killed by its time";

    public static void main(String[] arguments) throws Exception {
        if (arguments[0].equals("worker")) {
            new Worker(Path.of(arguments[1]), Path.of(arguments[2]), List.of(arguments[3].split(","))).serve();
        } else {
            new EngineMutants(arguments).run();
        }
    }

    private final Path clone;
    private final Path scratch;
    private final long seconds;
    private final long seed;
    private final Map<String, List<String>> subjects = new LinkedHashMap<>();
    private final List<String> wanted;

    private EngineMutants(String[] arguments) throws IOException {
        clone = Path.of(arguments[0]);
        scratch = Path.of(arguments[1]);
        seconds = Long.parseLong(arguments[2]);
        seed = Long.parseLong(arguments[3]);
        for (String line : Files.readAllLines(Path.of(arguments[4]))) {
            if (!line.isBlank() && !line.startsWith("#")) {
                String[] words = line.split("[: ]+");
                subjects.put(words[0], List.of(words).subList(1, words.length));
            }
        }
        List<String> named = List.of(arguments).subList(5, arguments.length);
        wanted = named.isEmpty() ? List.copyOf(subjects.keySet()) : named;
    }

    private void run() throws Exception {
        Map<String, Subject> found = new LinkedHashMap<>();
        for (String name : wanted) {
            Subject.find(clone, name).ifPresentOrElse(subject -> found.put(name, subject), () -> {
                throw new IllegalStateException("no class " + name + " below " + TOP);
            });
        }
        String tests = Subject.hash(Subject.contentOf(testClasses(clone, subjects.keySet())));
        var known = known();
        var mutants = new ArrayList<Mutant>();
        for (Subject subject : found.values()) {
            mutants.addAll(subject.mutants());
        }
        Collections.shuffle(mutants, new Random(seed));
        var counts = new TreeMap<String, Integer>();
        int late = 0;
        try (var worker = new WorkerProcess(clone, scratch, List.copyOf(subjects.keySet()))) {
            Coverage coverage = Coverage.of(worker, scratch);
            long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(seconds);
            for (Mutant mutant : mutants) {
                String key = mutant.subject().hash() + "\t" + mutant.name();
                Result result = known.get(key);
                if (result != null && !result.tests().equals(tests(result.verdict(), tests))) {
                    result = null;
                }
                if (result == null && System.nanoTime() < deadline) {
                    String judged = judge(worker, coverage, mutant);
                    result = new Result(judged, tests(judged, tests));
                    known.put(key, result);
                    Files.writeString(scratch.resolve("results.tsv"), judged + "\t" + result.tests() + "\t" + key + "\n",
                            StandardOpenOption.CREATE, StandardOpenOption.APPEND);
                }
                String verdict = result == null || counts.containsKey("left") ? null : result.verdict();
                counts.merge(verdict == null ? "left" : verdict.replaceAll(" .*", ""), 1, Integer::sum);
                late += BY_TIME.equals(verdict) ? 1 : 0;
                if (verdict != null && !verdict.startsWith("killed")) {
                    System.out.println("line " + mutant.line() + " " + verdict + "\t" + mutant.name());
                }
            }
        }
        System.out.printf("total\t%d\t%d\t%d\t%d%n", counts.getOrDefault("killed", 0), late,
                counts.getOrDefault("survived", 0) + counts.getOrDefault("uncovered", 0), counts.getOrDefault("left", 0));
    }

    private String judge(WorkerProcess worker, Coverage coverage, Mutant mutant) throws Exception {
        List<String> chosen = coverage.tests(mutant, subjects.getOrDefault(mutant.subject().name(), List.of()));
        if (chosen.isEmpty()) {
            return "uncovered";
        }
        long limit = 4 * coverage.millis(chosen) + GRACE_MILLIS;
        String question = "mutant\t" + mutant.subject().name() + "\t" + mutant.number() + "\t" + String.join("\t", chosen);
        String answer = worker.ask(question, limit);
        if (answer == null) { // once more: the machine may have been busy
            answer = worker.ask(question, 2 * limit);
        }
        return answer == null ? BY_TIME : answer;
    }

    /// Class files of the tests of each room that has one of the classes.
    private static List<Path> testClasses(Path clone, java.util.Collection<String> subjects) throws IOException {
        var found = new ArrayList<Path>();
        for (String room : testRooms(clone, subjects)) {
            try (Stream<Path> files = Files.walk(clone.resolve(room + "/target/test-classes"))) {
                files.filter(file -> file.toString().endsWith(".class")).sorted().forEach(found::add);
            }
        }
        return found;
    }

    private static Set<String> testRooms(Path clone, java.util.Collection<String> subjects) throws IOException {
        var rooms = new java.util.TreeSet<String>(Set.of(TOP));
        for (String subject : subjects) {
            Subject.find(clone, subject).ifPresent(found -> rooms.add(clone.relativize(found.file()).getName(0).toString()));
        }
        return rooms;
    }

    /// @param tests a hash of those that the verdict rests on
    private record Result(String verdict, String tests) {}

    /// Who kills a mistake once does so again; one that survives is tried again when any test is another.
    private String tests(String verdict, String all) throws IOException {
        String killer = verdict.replaceFirst("^killed by (\\w+)\\..*", "$1");
        for (Path file : testClasses(clone, subjects.keySet())) {
            if (!killer.equals(verdict) && file.endsWith(killer + ".class")) {
                return Subject.hash(Files.readAllBytes(file));
            }
        }
        return all;
    }

    private Map<String, Result> known() throws IOException {
        var known = new HashMap<String, Result>();
        Path file = scratch.resolve("results.tsv");
        if (Files.exists(file)) {
            for (String line : Files.readAllLines(file)) {
                String[] parts = line.split("\t", 3);
                known.put(parts[2], new Result(parts[0], parts[1]));
            }
        }
        return known;
    }

    // ---- the mistakes

    /// @param number among those of its subject
    private record Mutant(Subject subject, int number, int line, String method, String name) {}

    /// A class in which mistakes are made, with what is nested in it.
    private record Subject(String name, Path file, List<Path> nested, List<String> source, String hash) {
        static java.util.Optional<Subject> find(Path clone, String name) throws IOException {
            for (String room : House.of(clone).rooms()) {
                Path classes = clone.resolve(room + "/target/classes");
                if (!Files.isDirectory(classes)) {
                    continue;
                }
                try (Stream<Path> all = Files.walk(classes)) {
                    List<Path> files = all.filter(path -> path.getFileName().toString().matches(Pattern.quote(name) + "(\\$.*)?\\.class"))
                            .sorted()
                            .toList();
                    if (!files.isEmpty()) {
                        Path file = files.stream().filter(path -> path.endsWith(name + ".class")).findFirst().orElseThrow();
                        String inside = classes.relativize(file).toString().replace(".class", ".java");
                        List<String> source = Files.readAllLines(clone.resolve(room + "/src/main/java").resolve(inside));
                        return java.util.Optional.of(new Subject(name, file, files, source, hash(String.join("\n", source).getBytes(StandardCharsets.UTF_8))));
                    }
                }
            }
            return java.util.Optional.empty();
        }

        static byte[] contentOf(List<Path> files) throws IOException {
            var bytes = new java.io.ByteArrayOutputStream();
            for (Path file : files) {
                bytes.write(Files.readAllBytes(file));
            }
            return bytes.toByteArray();
        }

        static String hash(byte[] content) {
            try {
                return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(content), 0, 6);
            } catch (java.security.NoSuchAlgorithmException e) {
                throw new AssertionError(e);
            }
        }

        /// A line, as the coverage knows it.
        String place(int line) {
            return place("line " + text(line));
        }

        String place(String method) {
            return name + ":" + hash(method.getBytes(StandardCharsets.UTF_8));
        }

        String text(int line) {
            return line > 0 && line <= source.size() ? source.get(line - 1).strip() : "";
        }

        List<Mutant> mutants() throws IOException {
            var found = new ArrayList<Mutant>();
            var seen = new HashMap<String, Integer>();
            for (Change change : changes()) {
                String text = change.shown() + " in " + text(change.line());
                int times = seen.merge(text, 1, Integer::sum);
                found.add(new Mutant(this, found.size(), change.line(), change.method(),
                        name + ".java " + text + (times == 1 ? "" : " #" + times)));
            }
            return found;
        }

        /// In an order that depends on the class files alone.
        List<Change> changes() throws IOException {
            var all = new LinkedHashMap<String, Change>();
            for (Path each : nested) {
                new Changes(this, each, all).find();
            }
            return List.copyOf(all.values());
        }
    }

    /// One mistake: the same operator at one or, where the compiler has copied a statement, at several instructions.
    private record Change(Path file, String method, int line, String shown, Kind kind, int argument, BitSet at) {}

    private enum Kind { TAKE, SKIP, DROP_CALL, DROP_STORE, RETURN, ARITHMETIC, CONSTANT, BOUNDARY }

    /// Finds them in one class file. An instruction is known by its number in the class.
    private static final class Changes {
        private final Subject subject;
        private final Path file;
        private final Map<String, Change> all;
        private int index;
        private int line;
        private String method = "";

        Changes(Subject subject, Path file, Map<String, Change> all) {
            this.subject = subject;
            this.file = file;
            this.all = all;
        }

        void find() throws IOException {
            ClassModel model = ClassFile.of().parse(file);
            boolean isEnum = (model.flags().flagsMask() & ClassFile.ACC_ENUM) != 0;
            boolean isRecord = model.findAttribute(java.lang.classfile.Attributes.record()).isPresent();
            for (MethodModel method : model.methods()) {
                String name = method.methodName().stringValue();
                boolean made = (method.flags().flagsMask() & ClassFile.ACC_BRIDGE) != 0
                        || isEnum && Set.of("values", "valueOf", "$values").contains(name)
                        || isRecord && Set.of("equals", "hashCode", "toString").contains(name)
                        || name.equals("<clinit>");
                line = 0;
                this.method = name;
                var elements = new ArrayList<CodeElement>();
                method.code().ifPresent(code -> code.forEach(elements::add));
                for (int i = 0; i < elements.size(); i++) {
                    CodeElement element = elements.get(i);
                    if (element instanceof LineNumber number) {
                        line = number.line();
                    } else if (element instanceof java.lang.classfile.Instruction) {
                        if (!made) {
                            CodeElement next = i + 1 < elements.size() ? elements.get(i + 1) : null;
                            look(name, method.methodTypeSymbol(), element, next);
                        }
                        index++;
                    }
                }
            }
        }

        private void look(String method, MethodTypeDesc type, CodeElement element, CodeElement next) {
            boolean constructs = method.equals("<init>");
            boolean closes = subject.text(line).startsWith("try (") || subject.text(line).matches("(try|}|Fd \\w+ = .*\\{|.*\\) \\{)");
            switch (element) {
                case BranchInstruction branch when branch.opcode() != Opcode.GOTO && branch.opcode() != Opcode.GOTO_W -> {
                    if (closes && isNullCheck(branch.opcode())) {
                        return; // the compiler's own, of a resource
                    }
                    boolean single = !subject.text(line).matches(".*(&&|\\|\\||\\?).*");
                    String of = single ? branch.opcode().name() : "#" + index;
                    add(Kind.TAKE, 0, of, "condition always jumps");
                    add(Kind.SKIP, 0, of, "condition never jumps");
                    if (boundary(branch.opcode()) != null) {
                        add(Kind.BOUNDARY, 0, of, "boundary");
                    }
                }
                case InvokeInstruction call when !isConstructor(call) -> {
                    ClassDesc result = call.typeSymbol().returnType();
                    boolean drops = next instanceof StackInstruction pop && (pop.opcode() == Opcode.POP || pop.opcode() == Opcode.POP2);
                    String callee = call.owner().asSymbol().displayName() + "." + call.name().stringValue();
                    if (callee.equals("Throwable.addSuppressed") && closes || callee.equals("Objects.requireNonNull")) {
                        return;
                    }
                    if (result.descriptorString().equals("V") || drops) {
                        add(Kind.DROP_CALL, 0, callee, "no call of " + callee);
                    } else if (call.opcode() != Opcode.INVOKESTATIC && result.equals(call.owner().asSymbol())) {
                        add(Kind.DROP_CALL, 1, callee, "no call of " + callee);
                    }
                }
                case FieldInstruction store when !constructs && (store.opcode() == Opcode.PUTFIELD || store.opcode() == Opcode.PUTSTATIC) ->
                    add(Kind.DROP_STORE, 0, store.name().stringValue(), store.name().stringValue() + " is not set");
                case ReturnInstruction value when value.typeKind() != TypeKind.VOID -> {
                    String returned = type.returnType().descriptorString();
                    if (returned.equals("Z")) {
                        add(Kind.RETURN, 0, "false", "returns false");
                        add(Kind.RETURN, 1, "true", "returns true");
                    } else {
                        add(Kind.RETURN, 0, "nothing", "returns " + (type.returnType().isPrimitive() ? "0" : "nothing"));
                    }
                }
                case OperatorInstruction operator when other(operator.opcode()) != null ->
                    add(Kind.ARITHMETIC, 0, operator.opcode() + "#" + index, operator.opcode().name().toLowerCase() + " becomes "
                            + other(operator.opcode()).name().toLowerCase());
                case IncrementInstruction step -> add(Kind.ARITHMETIC, 0, "step#" + index, "counts the other way");
                case ConstantInstruction constant
                when !constructs && constant.constantValue() instanceof Integer value && !(next instanceof ReturnInstruction)
                        && !(next instanceof BranchInstruction) ->
                    addConstant(value);
                case ConstantInstruction constant when constant.constantValue() instanceof Long value && value != 0 ->
                    addConstant(value);
                default -> {}
            }
        }

        private void addConstant(long value) {
            add(Kind.CONSTANT, 0, value + "+1", value + " becomes " + (value + 1));
            if (Long.bitCount(value) > 1 && value > 0) {
                add(Kind.CONSTANT, 1, value + "-bit", value + " becomes " + (value & (value - 1)));
                add(Kind.CONSTANT, 2, value + "-high", value + " becomes " + (value & ~Long.highestOneBit(value)));
            }
        }

        private void add(Kind kind, int argument, String of, String shown) {
            String key = file + " " + line + " " + kind + " " + argument + " " + of;
            all.computeIfAbsent(key, _ -> new Change(file, method, line, shown, kind, argument, new BitSet())).at().set(index);
        }

        private static boolean isNullCheck(Opcode opcode) {
            return opcode == Opcode.IFNULL || opcode == Opcode.IFNONNULL;
        }

        private static boolean isConstructor(InvokeInstruction call) {
            return call.name().stringValue().equals("<init>");
        }
    }

    private static Opcode boundary(Opcode opcode) {
        return switch (opcode) {
            case IFLT -> Opcode.IFLE;
            case IFLE -> Opcode.IFLT;
            case IFGT -> Opcode.IFGE;
            case IFGE -> Opcode.IFGT;
            case IF_ICMPLT -> Opcode.IF_ICMPLE;
            case IF_ICMPLE -> Opcode.IF_ICMPLT;
            case IF_ICMPGT -> Opcode.IF_ICMPGE;
            case IF_ICMPGE -> Opcode.IF_ICMPGT;
            default -> null;
        };
    }

    private static Opcode other(Opcode opcode) {
        return switch (opcode) {
            case IADD -> Opcode.ISUB;
            case ISUB -> Opcode.IADD;
            case IMUL -> Opcode.IDIV;
            case IDIV -> Opcode.IMUL;
            case IREM -> Opcode.IMUL;
            case IAND -> Opcode.IOR;
            case IOR -> Opcode.IAND;
            case ISHL -> Opcode.ISHR;
            case ISHR, IUSHR -> Opcode.ISHL;
            case LADD -> Opcode.LSUB;
            case LSUB -> Opcode.LADD;
            case LMUL -> Opcode.LDIV;
            case LDIV -> Opcode.LMUL;
            case LAND -> Opcode.LOR;
            case LOR -> Opcode.LAND;
            default -> null;
        };
    }

    /// Makes the bytes of a class with one mistake in it.
    private static byte[] apply(Change change, ClassLoader types) throws IOException {
        ClassFile context = ClassFile.of(
                ClassFile.ClassHierarchyResolverOption.of(
                        ClassHierarchyResolver.defaultResolver().orElse(ClassHierarchyResolver.ofResourceParsing(types))),
                ClassFile.StackMapsOption.GENERATE_STACK_MAPS);
        ClassModel model = context.parse(change.file());
        var index = new AtomicInteger();
        return context.transformClass(model, (to, element) -> {
            if (!(element instanceof MethodModel method) || method.code().isEmpty()) {
                to.with(element);
                return;
            }
            CodeModel code = method.code().get();
            ClassDesc returned = method.methodTypeSymbol().returnType();
            to.transformMethod(method, (methodTo, methodElement) -> {
                if (!(methodElement instanceof CodeModel)) {
                    methodTo.with(methodElement);
                    return;
                }
                methodTo.transformCode(code, (codeTo, instruction) -> {
                    boolean counts = instruction instanceof java.lang.classfile.Instruction;
                    if (counts && change.at().get(index.getAndIncrement())) {
                        replace(codeTo, change, instruction, returned);
                    } else {
                        codeTo.with(instruction);
                    }
                });
            });
        });
    }

    private static void replace(CodeBuilder to, Change change, CodeElement instruction, ClassDesc returned) {
        switch (instruction) {
            case BranchInstruction branch when change.kind() == Kind.BOUNDARY ->
                to.with(BranchInstruction.of(boundary(branch.opcode()), branch.target()));
            case BranchInstruction branch -> {
                String name = branch.opcode().name();
                to.pop();
                if (name.startsWith("IF_")) {
                    to.pop();
                }
                if (change.kind() == Kind.TAKE) {
                    to.goto_(branch.target());
                }
            }
            case InvokeInstruction call -> {
                List<ClassDesc> parameters = call.typeSymbol().parameterList();
                for (int i = parameters.size() - 1; i >= 0; i--) {
                    pop(to, TypeKind.from(parameters.get(i)));
                }
                if (call.opcode() != Opcode.INVOKESTATIC && change.argument() == 0) {
                    to.pop();
                }
                if (change.argument() == 0) {
                    push(to, call.typeSymbol().returnType());
                }
            }
            case FieldInstruction store -> {
                pop(to, TypeKind.from(store.typeSymbol()));
                if (store.opcode() == Opcode.PUTFIELD) {
                    to.pop();
                }
            }
            case ReturnInstruction value -> {
                pop(to, value.typeKind());
                if (change.argument() == 1) {
                    to.iconst_1();
                } else {
                    push(to, returned);
                }
                to.return_(value.typeKind());
            }
            case OperatorInstruction operator -> to.with(OperatorInstruction.of(other(operator.opcode())));
            case IncrementInstruction step -> to.iinc(step.slot(), -step.constant());
            case ConstantInstruction constant -> {
                long value = ((Number) constant.constantValue()).longValue();
                long changed = switch (change.argument()) {
                    case 0 -> value + 1;
                    case 1 -> value & (value - 1);
                    default -> value & ~Long.highestOneBit(value);
                };
                if (constant.constantValue() instanceof Long) {
                    to.loadConstant(changed);
                } else {
                    to.loadConstant((int) changed);
                }
            }
            default -> throw new IllegalStateException("no mistake for " + instruction);
        }
    }

    private static void pop(CodeBuilder to, TypeKind kind) {
        if (kind.slotSize() == 2) {
            to.pop2();
        } else {
            to.pop();
        }
    }

    /// Something that says nothing.
    private static void push(CodeBuilder to, ClassDesc type) {
        switch (type.descriptorString()) {
            case "V" -> {}
            case "J" -> to.lconst_0();
            case "F" -> to.fconst_0();
            case "D" -> to.dconst_0();
            case "Z", "B", "C", "S", "I" -> to.iconst_0();
            case "Ljava/util/Optional;" -> to.invokestatic(type, "empty", MethodTypeDesc.of(type));
            case "Ljava/util/OptionalInt;" -> to.invokestatic(type, "empty", MethodTypeDesc.of(type));
            case "Ljava/util/List;", "Ljava/util/Set;", "Ljava/util/Map;" ->
                to.invokestatic(type, "of", MethodTypeDesc.of(type), true);
            case "Ljava/lang/String;" -> to.loadConstant("");
            default -> to.aconst_null();
        }
    }

    // ---- which tests come where

    /// Lines and methods of the classes by test, as a run without mistakes shows them. A line is known by its text, so
    /// that a change of other lines leaves it known.
    private static final class Coverage {
        private final Map<String, Set<String>> tests = new HashMap<>();
        private final Map<String, Long> millis = new HashMap<>();

        static Coverage of(WorkerProcess worker, Path scratch) throws Exception {
            var coverage = new Coverage();
            Path directory = Files.createDirectories(scratch.resolve("coverage"));
            for (String test : worker.ask("tests", 60_000).split(" ")) {
                Path file = directory.resolve(test.replaceAll(".*\\.", "").replace('=', '-'));
                if (!Files.exists(file)) {
                    Path partial = scratch.resolve("coverage.partial");
                    Files.deleteIfExists(partial);
                    String answer = worker.ask("cover\t" + test.replaceAll("=.*", "") + "\t" + partial, 180_000);
                    System.err.println(java.time.LocalTime.now().withNano(0) + " " + test + ": " + (answer == null ? "does not end" : answer));
                    Files.move(answer == null ? Files.createFile(file.resolveSibling("none")) : partial, file);
                }
                coverage.read(file);
            }
            return coverage;
        }

        private void read(Path file) throws IOException {
            for (String line : Files.readAllLines(file)) {
                String[] parts = line.split("\t");
                millis.put(parts[0], Long.parseLong(parts[1]));
                for (String covered : parts.length > 2 ? parts[2].split(" ") : new String[0]) {
                    tests.computeIfAbsent(covered, _ -> new HashSet<>()).add(parts[0]);
                }
            }
        }

        /// Those of the test classes that are named for it, then the quickest, for a bounded time.
        List<String> tests(Mutant mutant, List<String> first) {
            Subject subject = mutant.subject();
            Set<String> reaching = tests.getOrDefault(
                    subject.place(mutant.line()), tests.getOrDefault(subject.place(mutant.method()), Set.of()));
            String own = subject.name() + "Test";
            Comparator<String> order = Comparator.<String>comparingInt(test -> {
                String testClass = className(test);
                int place = first.indexOf(testClass);
                return testClass.equals(own) ? -1 : place < 0 ? first.size() : place;
            }).thenComparing(millis::get);
            var chosen = new ArrayList<String>();
            long sum = 0;
            for (String test : reaching.stream().sorted(order).toList()) {
                sum += millis.get(test);
                if (className(test).equals(own) || first.contains(className(test)) || sum <= MOST_TEST_MILLIS) {
                    chosen.add(test);
                }
            }
            return chosen;
        }

        long millis(List<String> chosen) {
            return chosen.stream().mapToLong(millis::get).sum();
        }
    }

    /// The simple name of the class in a test's unique id.
    private static String className(String test) {
        var matcher = Pattern.compile("\\[class:(?:\\w+\\.)*(\\w+)]").matcher(test);
        return matcher.find() ? matcher.group(1) : "";
    }

    // ---- the process that runs tests

    private static final class WorkerProcess implements AutoCloseable {
        private final Path clone;
        private final Path scratch;
        private final List<String> subjects;
        private Process process;
        private BlockingQueue<String> answers;

        WorkerProcess(Path clone, Path scratch, List<String> subjects) {
            this.clone = clone;
            this.scratch = scratch;
            this.subjects = subjects;
        }

        private void start() throws IOException {
            String classPath = System.getProperty("java.class.path");
            var command = new ArrayList<>(List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                    "-cp", classPath, "--enable-native-access=ALL-UNNAMED", "--sun-misc-unsafe-memory-access=allow",
                    "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto", "-Dcaisson.root=" + clone,
                    "EngineMutants", "worker", clone.toString(), scratch.toString(), String.join(",", subjects)));
            process = new ProcessBuilder(command)
                    .directory(clone.resolve(TOP).toFile())
                    .redirectError(scratch.resolve("worker.log").toFile())
                    .start();
            var queue = new LinkedBlockingQueue<String>();
            BufferedReader reader = process.inputReader();
            Thread.ofVirtual().start(() -> reader.lines().forEach(queue::add));
            answers = queue;
        }

        /// @return null if there was no answer in time
        String ask(String question, long millis) throws Exception {
            if (process == null || !process.isAlive()) {
                start();
            }
            process.outputWriter().write(question + "\n");
            process.outputWriter().flush();
            long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(millis);
            String answer = null;
            while (answer == null && System.nanoTime() < end) {
                answer = answers.poll(200, TimeUnit.MILLISECONDS);
                if (answer == null && !process.isAlive()) {
                    answer = answers.poll(200, TimeUnit.MILLISECONDS);
                    break;
                }
            }
            if (answer == null || answer.endsWith("\tdirty")) {
                close();
            }
            return answer == null ? null : answer.replace("\tdirty", "");
        }

        @Override
        public void close() throws Exception {
            if (process != null) {
                List<ProcessHandle> descendants = process.descendants().toList();
                process.destroyForcibly().waitFor();
                descendants.forEach(ProcessHandle::destroyForcibly);
                removeGroups();
            }
        }

        /// Groups of state directories below /run, which is this tool's own: their names begin with its device.
        private static void removeGroups() throws IOException {
            long device = ((Number) Files.getAttribute(Path.of("/run"), "unix:dev")).longValue();
            long minor = (device & 0xff) | ((device >> 12) & 0xfff00);
            String prefix = "caisson-" + Long.toHexString((((device >> 8) & 0xfff) << 32) | minor) + "-";
            for (int attempt = 0; attempt < 20; attempt++) {
                var left = new ArrayList<Path>();
                for (Path top : list(Path.of("/sys/fs/cgroup"))) {
                    left.addAll(list(top).stream().filter(group -> group.getFileName().toString().startsWith(prefix)).toList());
                    if (top.getFileName().toString().startsWith(prefix)) {
                        left.add(top);
                    }
                }
                if (left.isEmpty()) {
                    return;
                }
                left.forEach(WorkerProcess::removeGroup);
            }
        }

        private static void removeGroup(Path group) {
            for (Path inner : list(group)) {
                if (Files.isDirectory(inner)) {
                    removeGroup(inner);
                }
            }
            group.toFile().delete();
        }

        private static List<Path> list(Path directory) {
            try (Stream<Path> entries = Files.list(directory)) {
                return entries.toList();
            } catch (IOException e) {
                return List.of();
            }
        }
    }

    /// Answers a line for each line that it reads.
    private static final class Worker {
        private static final int MOST_MUTANTS = 150;
        /// Tests of attacks and of what the engine watches: they come to its start too, and see little of it.
        private static final Pattern OTHER_SUBJECTS =
                Pattern.compile("^(Cve|Denial|Docker|Emulated|Filter|Live|NotifiedRec|Pod|ProjectQuota|PublicArg|Record|Runtime|Syscall|VersionTwo)");

        private final Path clone;
        private final Path scratch;
        private final Map<String, Subject> subjects = new LinkedHashMap<>();
        private final Map<String, List<Change>> changes = new HashMap<>();
        private final PrintStream answers = System.out;
        private int tried;

        Worker(Path clone, Path scratch, List<String> names) throws IOException {
            this.clone = clone;
            this.scratch = scratch;
            for (String name : names) {
                subjects.put(name, Subject.find(clone, name).orElseThrow());
            }
            System.setOut(new PrintStream(OutputStream.nullOutputStream()));
        }

        void serve() throws Exception {
            var reader = new BufferedReader(new java.io.InputStreamReader(System.in));
            System.setIn(java.io.InputStream.nullInputStream());
            for (String line = reader.readLine(); line != null; line = reader.readLine()) {
                String[] words = line.split("\t");
                String answer;
                try {
                    answer = switch (words[0]) {
                        case "tests" -> String.join(" ", testClasses());
                        case "cover" -> cover(words[1], Path.of(words[2]));
                        default -> attempt(words[1], Integer.parseInt(words[2]), List.of(words).subList(3, words.length));
                    };
                } catch (Throwable e) {
                    e.printStackTrace();
                    answer = e instanceof VerifyError ? "killed by the verifier" : "failed: " + e;
                }
                boolean dirty = ++tried > MOST_MUTANTS || !words[0].equals("tests") && isDirty();
                answers.println(answer.replaceAll("[\t\n]", " ") + (dirty ? "\tdirty" : ""));
            }
            System.exit(0);
        }

        /// Names, each with a hash of its methods': what their lines are changes little of what they come to.
        private List<String> testClasses() throws IOException {
            var classes = new ArrayList<String>();
            for (Path file : EngineMutants.testClasses(clone, subjects.keySet())) {
                String name = file.getFileName().toString();
                if (name.endsWith("Test.class") && !OTHER_SUBJECTS.matcher(name).find()) {
                    classes.add(Rooms.name(file) + "=" + Subject.hash(methods(file).getBytes(StandardCharsets.UTF_8)));
                }
            }
            return classes;
        }

        private static String methods(Path file) throws IOException {
            return ClassFile.of().parse(file).methods().stream()
                    .map(method -> method.methodName().stringValue())
                    .filter(name -> !name.startsWith("lambda$"))
                    .sorted()
                    .toList()
                    .toString();
        }

        /// Runs a test class without mistakes and notes which lines each test comes to.
        private String cover(String testClass, Path to) throws Exception {
            var loader = new Rooms(clone, subjects.values());
            for (Subject subject : subjects.values()) {
                for (Path file : subject.nested()) {
                    loader.replace(file, observed(subject, file));
                }
            }
            var report = new StringBuilder();
            var failed = new AtomicInteger();
            run(loader, List.of(DiscoverySelectors.selectClass(loader.loadClass(testClass))), new TestExecutionListener() {
                private long began;

                @Override
                public void executionStarted(TestIdentifier test) {
                    if (test.isTest()) {
                        began = System.nanoTime();
                        Lines.SEEN.clear();
                    }
                }

                @Override
                public void executionFinished(TestIdentifier test, TestExecutionResult result) {
                    boolean good = result.getStatus() == TestExecutionResult.Status.SUCCESSFUL;
                    if (!good) {
                        failed.incrementAndGet();
                        result.getThrowable().ifPresent(Throwable::printStackTrace);
                    } else if (test.isTest()) {
                        long millis = 1 + TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - began);
                        report.append(test.getUniqueId()).append('\t').append(millis).append('\t')
                                .append(String.join(" ", Lines.SEEN.keySet())).append('\n');
                    }
                }
            }, CancellationToken.disabled());
            Files.writeString(to, report, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
            return report.toString().lines().count() + " tests pass, " + failed.get() + " do not";
        }

        private static byte[] observed(Subject subject, Path file) throws IOException {
            ClassFile context = ClassFile.of();
            return context.transformClass(context.parse(file), (to, element) -> {
                if (element instanceof MethodModel method) {
                    String place = subject.place(method.methodName().stringValue());
                    to.transformMethod(method, java.lang.classfile.MethodTransform.transformingCode((code, instruction) -> {
                        code.with(instruction);
                        if (instruction instanceof LineNumber number) {
                            see(code, subject.place(number.line()));
                            see(code, place);
                        }
                    }));
                } else {
                    to.with(element);
                }
            });
        }

        private static void see(CodeBuilder code, String place) {
            code.loadConstant(place);
            code.invokestatic(ClassDesc.of("EngineMutants$Lines"), "seen",
                    MethodTypeDesc.of(java.lang.constant.ConstantDescs.CD_void, CD_String));
        }

        private String attempt(String name, int number, List<String> tests) throws Exception {
            Subject subject = subjects.get(name);
            List<Change> all = changes.get(name);
            if (all == null) {
                all = subject.changes();
                changes.put(name, all);
            }
            Change change = all.get(number);
            var loader = new Rooms(clone, List.of(subject));
            byte[] changed = apply(change, loader);
            if (Arrays.equals(changed, apply(new Change(change.file(), "", 0, "", change.kind(), 0, new BitSet()), loader))) {
                throw new IllegalStateException("no change: " + change);
            }
            loader.replace(change.file(), changed);
            // Test programs of their own have the mistake too.
            Path overlay = scratch.resolve("overlay");
            removeTree(overlay);
            Path copy = overlay.resolve(Rooms.entry(change.file()));
            Files.createDirectories(copy.getParent());
            Files.write(copy, changed);
            String classPath = System.getProperty("java.class.path");
            System.setProperty("java.class.path", overlay + File.pathSeparator + classPath);
            try {
                for (List<String> ofClass : inClasses(tests)) {
                    var failure = new ArrayList<String>();
                    CancellationToken token = CancellationToken.create();
                    run(loader, ofClass.stream().<DiscoverySelector>map(DiscoverySelectors::selectUniqueId).toList(), new TestExecutionListener() {
                        @Override
                        public void executionFinished(TestIdentifier test, TestExecutionResult result) {
                            if (result.getStatus() == TestExecutionResult.Status.FAILED) {
                                failure.add(className(test.getUniqueId()) + "." + test.getDisplayName());
                                token.cancel();
                            }
                        }
                    }, token);
                    if (!failure.isEmpty()) {
                        return "killed by " + failure.getFirst();
                    }
                }
            } finally {
                System.setProperty("java.class.path", classPath);
            }
            return "survived";
        }

        /// In their order, those of a class together.
        private static List<List<String>> inClasses(List<String> tests) {
            var classes = new LinkedHashMap<String, List<String>>();
            tests.forEach(test -> classes.computeIfAbsent(className(test), _ -> new ArrayList<>()).add(test));
            return List.copyOf(classes.values());
        }

        private static void run(ClassLoader loader, List<? extends DiscoverySelector> what, TestExecutionListener listener, CancellationToken token) {
            Thread thread = Thread.currentThread();
            ClassLoader before = thread.getContextClassLoader();
            thread.setContextClassLoader(loader);
            try {
                var request = LauncherDiscoveryRequestBuilder.request()
                        .selectors(what)
                        .filters(TagFilter.excludeTags("vm", "emulated", "peers"))
                        .build();
                LauncherFactory.create().execute(LauncherExecutionRequestBuilder.request(request)
                        .listeners(listener)
                        .cancellationToken(token)
                        .build());
            } finally {
                thread.setContextClassLoader(before);
            }
        }

        /// Whether something of an engine goes on: the next mistake must not be blamed for it.
        private static boolean isDirty() throws InterruptedException {
            for (int i = 0; i < 20; i++) {
                boolean reactor = Thread.getAllStackTraces().keySet().stream()
                        .anyMatch(thread -> thread.getName().equals("caisson-reactor"));
                if (!reactor && ProcessHandle.current().children().findAny().isEmpty()) {
                    return false;
                }
                Thread.sleep(25);
            }
            return true;
        }

        private static void removeTree(Path top) throws IOException {
            if (Files.exists(top)) {
                try (Stream<Path> all = Files.walk(top)) {
                    all.sorted(Comparator.reverseOrder()).forEach(path -> path.toFile().delete());
                }
            }
        }
    }

    /// Where code with eyes comes to; called by it.
    public static final class Lines {
        static final Map<String, Boolean> SEEN = new java.util.concurrent.ConcurrentHashMap<>();

        private Lines() {}

        public static void seen(String line) {
            SEEN.put(line, true);
        }
    }

    /// The rooms that the tests stand on, each with those that it uses.
    private record House(Map<String, Set<String>> uses) {
        private static final Pattern USED = Pattern.compile("<artifactId>caisson-(\\w+)</artifactId>");

        static House of(Path clone) {
            var uses = new TreeMap<String, Set<String>>();
            add(clone, TOP, uses);
            return new House(uses);
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
                throw new java.io.UncheckedIOException(e);
            }
            uses.put(room, all);
            return all;
        }

        Set<String> rooms() {
            return uses.keySet();
        }

        /// Directly or not.
        boolean uses(String room, String other) {
            return uses.get(room).contains(other);
        }
    }

    /// Loads the rooms that use a changed class again, some classes from other bytes.
    private static final class Rooms extends URLClassLoader {
        private final Map<String, byte[]> replaced = new HashMap<>();
        private final List<String> packages;

        Rooms(Path clone, java.util.Collection<Subject> subjects) throws MalformedURLException {
            super(urls(clone), EngineMutants.class.getClassLoader());
            House house = House.of(clone);
            packages = house.rooms().stream()
                    .filter(room -> subjects.stream().anyMatch(subject -> house.uses(room, room(clone, subject.file()))))
                    .map(room -> "dev.caisson." + room + ".")
                    .toList();
        }

        private static URL[] urls(Path clone) throws MalformedURLException {
            var urls = new ArrayList<URL>();
            for (String room : House.of(clone).rooms()) {
                for (String classes : List.of("/target/test-classes", "/target/classes")) {
                    if (Files.isDirectory(clone.resolve(room + classes))) {
                        urls.add(clone.resolve(room + classes).toUri().toURL());
                    }
                }
            }
            return urls.toArray(URL[]::new);
        }

        private static String room(Path clone, Path file) {
            return clone.relativize(file).getName(0).toString();
        }

        /// As `dev/caisson/engine/Engine.class`.
        static String entry(Path file) {
            return file.toString().replaceFirst("^.*/target/(test-)?classes/", "");
        }

        static String name(Path file) {
            return entry(file).replace(".class", "").replace('/', '.');
        }

        /// The directory of classes that one comes from.
        private static URL top(URL from, String name) {
            String text = from.toString();
            try {
                return java.net.URI.create(text.substring(0, text.length() - (name + ".class").length())).toURL();
            } catch (MalformedURLException e) {
                throw new AssertionError(e);
            }
        }

        void replace(Path file, byte[] bytes) {
            replaced.put(name(file), bytes);
        }

        @Override
        protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
            synchronized (getClassLoadingLock(name)) {
                Class<?> loaded = findLoadedClass(name);
                if (loaded != null) {
                    return loaded;
                }
                byte[] bytes = replaced.get(name);
                if (bytes != null) {
                    URL from = getResource(name.replace('.', '/') + ".class");
                    return defineClass(name, bytes, 0, bytes.length, new ProtectionDomain(new CodeSource(
                            top(from, name), (java.security.cert.Certificate[]) null), null));
                }
                return packages.stream().anyMatch(name::startsWith) ? findClass(name) : super.loadClass(name, resolve);
            }
        }
    }
}
