package dev.caisson.cli;

import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.lang.syntax.ArchRuleDefinition;
import dev.caisson.error.CaissonException;
import dev.caisson.linux.OwnProcess;
import java.io.IOException;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/// The rules of the house: which room may use which, and what every room looks like.
class HouseTest {
    private static final Pattern EMPTY_NAME = Pattern.compile(".*(Util|Utils|Helper|Helpers|Manager|Impl)");
    private static final Pattern TEST = Pattern.compile(
            "@(?:Test|ParameterizedTest|RepeatedTest|Property|TestFactory)\\b.*?\n    \\w[\\w<>?, ]*? (\\w+)\\(",
            Pattern.DOTALL);
    /// A file of more than about 400 lines is asked why; one beyond this does too much.
    private static final int LINES_OF_A_FILE = 450;

    private static List<House.Room> rooms = List.of();
    private static JavaClasses classes = new ClassFileImporter().importPaths(List.of());

    @BeforeAll
    static void readTheHouse() throws IOException {
        rooms = House.rooms();
        List<Path> compiled = rooms.stream().map(House.Room::classes).toList();
        assertThat(compiled)
                .as("this test reads all rooms' classes; build them first: mvn test")
                .allMatch(Files::isDirectory);
        classes = new ClassFileImporter().importPaths(compiled);
    }

    @Test
    void every_room_has_a_floor() {
        assertThat(rooms)
                .as("a new room is given its floor in House.FLOORS and in docs/architecture.md")
                .isNotEmpty()
                .allMatch(room -> room.floor() >= 0);
    }

    @Test
    void modules_require_lower_floors_only() throws IOException {
        for (House.Room room : rooms) {
            assertThat(room.descriptor().name()).isEqualTo(room.packageName());
            assertThat(room.descriptor().requires().stream()
                            .map(required -> required.name())
                            .filter(name -> name.startsWith("dev.caisson."))
                            .map(name -> new House.Room(name.substring("dev.caisson.".length())))
                            .filter(other -> other.floor() >= room.floor()))
                    .as("rooms beside or above " + room.name() + " that it requires")
                    .isEmpty();
        }
    }

    @Test
    void classes_use_lower_floors_only() {
        for (House.Room room : rooms) {
            List<String> forbidden = rooms.stream()
                    .filter(other -> !other.equals(room) && other.floor() >= room.floor())
                    .map(other -> other.packageName() + "..")
                    .toList();
            ArchRuleDefinition.noClasses()
                    .that()
                    .resideInAPackage(room.packageName() + "..")
                    .should()
                    .dependOnClassesThat()
                    .resideInAnyPackage(forbidden.toArray(String[]::new))
                    .check(classes);
        }
    }

    @Test
    void rooms_form_no_cycle() {
        slices().matching("dev.caisson.(*)..").should().beFreeOfCycles().check(classes);
    }

    @Test
    void packages_form_no_cycle() {
        slices().matching("dev.caisson.(**)").should().beFreeOfCycles().check(classes);
    }

    /// Whoever embeds Caisson meets the rooms that are of use to him; the others are for our own modules alone.
    @Test
    void only_what_is_of_use_alone_is_exported_to_everybody() throws IOException {
        List<String> toEverybody = new ArrayList<>();
        for (House.Room room : rooms) {
            room.descriptor().exports().stream()
                    .filter(exported -> !exported.isQualified())
                    .forEach(exported -> toEverybody.add(exported.source()));
        }
        assertThat(toEverybody)
                .containsExactlyInAnyOrder(
                        "dev.caisson.error",
                        "dev.caisson.text",
                        "dev.caisson.image",
                        "dev.caisson.seccomp",
                        "dev.caisson.scan",
                        "dev.caisson.secret",
                        "dev.caisson.containerfile",
                        "dev.caisson.spec",
                        "dev.caisson.engine",
                        "dev.caisson.micrometer",
                        "dev.caisson.audit",
                        "dev.caisson.build",
                        "dev.caisson.hostaudit",
                        "dev.caisson.selftest");
    }

    @Test
    void only_linux_touches_foreign_memory() {
        assertThat(classes.that(useForeignMemory()))
                .as("the rule sees the classes that it allows")
                .isNotEmpty();
        ArchRuleDefinition.noClasses()
                .that()
                .resideOutsideOfPackage("dev.caisson.linux..")
                .should()
                .dependOnClassesThat()
                .resideInAPackage("java.lang.foreign..")
                .check(classes);
    }

    /// They are made by netlink, so no ip, nft or iptables of the host has a say in it.
    @Test
    void networks_are_made_without_another_program() {
        ArchRuleDefinition.noClasses()
                .that()
                .resideInAPackage("dev.caisson.network..")
                .should()
                .dependOnClassesThat()
                .belongToAnyOf(Process.class, ProcessBuilder.class, Runtime.class)
                .check(classes);
    }

    @Test
    void every_public_exception_is_a_caisson_exception() {
        ArchRuleDefinition.classes()
                .that()
                .areAssignableTo(Throwable.class)
                .and()
                .arePublic()
                .should()
                .beAssignableTo(CaissonException.class)
                .check(classes);
    }

    /// avaje-jsonb writes; the adapters that it generates could read and are asked by nobody.
    @Test
    void only_text_parses_json() throws IOException {
        var parsing = Pattern.compile("io\\.avaje\\.json\\.JsonReader|\\.fromJson\\w*\\(|JsonStream[^;]*\\.reader\\(");
        for (House.Room room : rooms) {
            for (Path source : room.sources()) {
                assertThat(parsing.matcher(Files.readString(source)).find())
                        .as(source + " parses JSON beside dev.caisson.text.Json")
                        .isFalse();
            }
        }
    }

    @Test
    void nobody_reaches_behind_the_jdk() {
        ArchRuleDefinition.noClasses()
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage("sun..", "jdk.internal..", "com.sun..")
                .check(classes);
    }

    /// They are handed all that they must know of the host, so that a wish is judged alike wherever that is done.
    @Test
    void policy_and_planner_ask_the_host_nothing() {
        ArchRuleDefinition.noClasses()
                .that()
                .haveNameMatching(
                        "dev\\.caisson\\.launch\\.(Policy|Planner|HostDeviceRules|PlacementRules|NetworkRules)(\\$.*)?")
                .should()
                .dependOnClassesThat()
                .haveNameMatching(
                        "java\\.nio\\.file\\.Files|java\\.io\\.File.*|dev\\.caisson\\.linux\\.(FileSystem|Fd|Procfs.*)")
                .orShould()
                .callMethod(Path.class, "toRealPath", LinkOption[].class)
                .check(classes);
    }

    /// In Arabic, Persian and other languages numbers would have digits that neither the kernel nor JSON knows, and in
    /// Turkish "I" is not the capital letter of "i".
    @Test
    void no_text_depends_on_the_language_of_the_host() {
        ArchRuleDefinition.noClasses()
                .should()
                .callMethod(String.class, "format", String.class, Object[].class)
                .orShould()
                .callMethod(String.class, "formatted", Object[].class)
                .orShould()
                .callMethod(PrintWriter.class, "printf", String.class, Object[].class)
                .orShould()
                .callMethod(PrintStream.class, "printf", String.class, Object[].class)
                .orShould()
                .callMethod(String.class, "toLowerCase")
                .orShould()
                .callMethod(String.class, "toUpperCase")
                .orShould()
                .callMethod(DateTimeFormatter.class, "ofPattern", String.class)
                .because("it takes the language of the JVM: give Locale.ROOT")
                .check(classes);
    }

    /// A benchmark reads what it made itself.
    @Test
    void no_file_is_read_as_if_nobody_could_write_other_bytes_there() {
        ArchRuleDefinition.noClasses()
                .that()
                .resideOutsideOfPackage("dev.caisson.benchmarks..")
                .should()
                .callMethod(Files.class, "readString", Path.class)
                .orShould()
                .callMethod(Files.class, "readAllLines", Path.class)
                .orShould()
                .callMethod(Files.class, "lines", Path.class)
                .orShould()
                .callMethod(Files.class, "newBufferedReader", Path.class)
                .because("it fails at bytes that are not UTF-8, as a program's name may have: use ByteText.read")
                .check(classes);
    }

    @Test
    void only_the_command_line_ends_the_process() {
        ArchRuleDefinition.noClasses()
                .that()
                .resideOutsideOfPackage("dev.caisson.cli..")
                .should()
                .callMethod(System.class, "exit", int.class)
                .orShould()
                .callMethod(Runtime.class, "halt", int.class)
                .orShould()
                .callMethod(OwnProcess.class, "end", int.class)
                .check(classes);
    }

    /// A resident engine runs the commands of many callers in one process, whose own streams, variables and directory
    /// are none of theirs.
    @Test
    void commands_take_what_is_the_callers_from_the_caller() throws IOException {
        var fromTheProcess = Pattern.compile(
                "System\\.(in|out|err|getenv|exit|console)\\b|FileDescriptor\\.|\\.halt\\(|user\\.dir|Engine\\.open\\("
                        + "|new Fd\\([0-9]|/proc/self/(fd/[0-9]|cwd|environ)");
        var mayDoSo = List.of("Main", "ProcessCaller", "CallerText", "ServeCommand", "WarmUp", "RehearseCommand");
        var found = new ArrayList<String>();
        for (Path source : new House.Room("cli").sources()) {
            if (!mayDoSo.contains(baseName(source))
                    && fromTheProcess.matcher(Files.readString(source)).find()) {
                found.add(baseName(source));
            }
        }
        assertThat(found).as("take it from Caller.current()").isEmpty();
    }

    @Test
    void every_room_exports_one_package_and_says_what_it_is_for() throws IOException {
        for (House.Room room : rooms) {
            Path home = room.directory()
                    .resolve("src/main/java")
                    .resolve(room.packageName().replace('.', '/'));
            assertThat(room.sources())
                    .as("sources of " + room.name())
                    .allMatch(source -> source.startsWith(home) || source.equals(room.moduleSource()));
            assertThat(room.descriptor().exports().stream().filter(exported -> !exported.isQualified()))
                    .as("packages of " + room.name() + " that everybody may use, beside the room's own")
                    .allMatch(exported -> exported.source().equals(room.packageName()));
            assertThat(Files.readAllLines(room.moduleSource()))
                    .as("module-info.java of " + room.name())
                    .anyMatch(line -> line.startsWith("/// "))
                    .contains("@NullMarked");
        }
    }

    @Test
    void no_class_has_an_empty_name() throws IOException {
        for (House.Room room : rooms) {
            assertThat(room.sources().stream().map(source -> baseName(source)))
                    .noneMatch(name -> EMPTY_NAME.matcher(name).matches());
        }
        assertThat(EMPTY_NAME.matcher("MountHelper").matches()).isTrue();
    }

    @Test
    void no_file_is_too_long_to_read() throws IOException {
        var tooLong = new ArrayList<String>();
        for (House.Room room : rooms) {
            for (Path source : room.sources()) {
                try (Stream<String> lines = Files.lines(source)) {
                    long count = lines.count();
                    if (count > LINES_OF_A_FILE) {
                        tooLong.add(source + ": " + count + " lines");
                    }
                }
            }
        }
        assertThat(tooLong).isEmpty();
    }

    @Test
    void the_name_of_a_test_is_a_sentence_with_underscores() throws IOException {
        var named = 0;
        for (House.Room room : rooms) {
            for (Path source : room.tests()) {
                Matcher tests = TEST.matcher(Files.readString(source));
                while (tests.find()) {
                    assertThat(tests.group(1)).as(source.toString()).matches("[a-z0-9]+(_[a-z0-9]+)+");
                    named++;
                }
            }
        }
        assertThat(named).isGreaterThan(3000);
    }

    private static DescribedPredicate<JavaClass> useForeignMemory() {
        return DescribedPredicate.describe(
                "use java.lang.foreign",
                type -> type.getDirectDependenciesFromSelf().stream()
                        .anyMatch(dependency ->
                                dependency.getTargetClass().getPackageName().equals("java.lang.foreign")));
    }

    private static String baseName(Path source) {
        String name = source.getFileName().toString();
        return name.substring(0, name.length() - ".java".length());
    }
}
