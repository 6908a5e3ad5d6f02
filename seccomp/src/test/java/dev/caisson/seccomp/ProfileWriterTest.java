package dev.caisson.seccomp;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

/// A profile's JSON as it is written: its lines, what is left out, and what is escaped.
class ProfileWriterTest {
    private static Profile profile(Map<Architecture, Set<Architecture>> abis, Rule... rules) {
        return new Profile(Action.errno(1), abis, Set.of(), "", "", List.of(rules));
    }

    @Test
    void what_a_rule_does_not_have_is_left_out() {
        assertThat(profile(Map.of(), Rule.of(Action.ALLOW, List.of(), "read")).toJson())
                .isEqualTo("""
                        {
                          "defaultAction": "SCMP_ACT_ERRNO",
                          "defaultErrnoRet": 1,
                          "syscalls": [
                            {
                              "names": ["read"],
                              "action": "SCMP_ACT_ALLOW"
                            }
                          ]
                        }
                        """);
    }

    @Test
    void what_a_selector_does_not_look_at_is_left_out() {
        var machine = new Selector(Set.of(), Set.of("amd64"), java.util.Optional.empty());
        var able = new Selector(Set.of("CAP_BPF"), Set.of(), java.util.Optional.empty());
        Rule rule = new Rule(List.of("read"), Action.ALLOW, List.of(), machine, able, "");

        assertThat(profile(Map.of(), rule).toJson()).contains("""
                              "includes": {
                                "arches": ["amd64"]
                              },
                              "excludes": {
                                "caps": ["CAP_BPF"]
                              }
                        """);
    }

    @Test
    void a_profile_is_written_line_by_line() {
        Rule rule = new Rule(
                List.of("read", "write"),
                new Action(Action.Kind.TRACE, 7),
                List.of(Condition.masked(1, -1, 5), Condition.of(0, Condition.Operator.GE, 3)),
                new Selector(
                        Set.of("CAP_BPF"), Set.of("s390x", "amd64"), java.util.Optional.of(new KernelVersion(5, 8))),
                Selector.NONE,
                "a\"b\\c\n\u007f");

        assertThat(profile(Map.of(Architecture.X86_64, Set.of(Architecture.X86, Architecture.X32)), rule)
                        .toJson())
                .isEqualTo("""
                        {
                          "defaultAction": "SCMP_ACT_ERRNO",
                          "defaultErrnoRet": 1,
                          "archMap": [
                            {
                              "architecture": "SCMP_ARCH_X86_64",
                              "subArchitectures": ["SCMP_ARCH_X86", "SCMP_ARCH_X32"]
                            }
                          ],
                          "syscalls": [
                            {
                              "comment": "a\\"b\\\\c\\u000a\\u007f",
                              "names": ["read", "write"],
                              "action": "SCMP_ACT_TRACE",
                              "errnoRet": 7,
                              "args": [
                                {"index": 1, "value": 18446744073709551615, "valueTwo": 5, "op": "SCMP_CMP_MASKED_EQ"},
                                {"index": 0, "value": 3, "op": "SCMP_CMP_GE"}
                              ],
                              "includes": {
                                "caps": ["CAP_BPF"],
                                "arches": ["amd64", "s390x"],
                                "minKernel": "5.8"
                              }
                            }
                          ]
                        }
                        """);
    }

    @Test
    void what_a_profile_does_not_say_is_not_written() {
        assertThat(profile(Map.of(Architecture.X86_64, Set.of())).toJson()).isEqualTo("""
                {
                  "defaultAction": "SCMP_ACT_ERRNO",
                  "defaultErrnoRet": 1,
                  "syscalls": []
                }
                """);
        assertThat(new Profile(
                                Action.KILL_PROCESS,
                                Map.of(Architecture.AARCH64, Set.of(Architecture.ARM), Architecture.X86_64, Set.of()),
                                Set.of(Profile.Flag.WAIT_KILLABLE_RECV, Profile.Flag.LOG),
                                "/l",
                                "m",
                                List.of())
                        .toJson())
                .isEqualTo("""
                        {
                          "defaultAction": "SCMP_ACT_KILL_PROCESS",
                          "archMap": [
                            {
                              "architecture": "SCMP_ARCH_AARCH64",
                              "subArchitectures": ["SCMP_ARCH_ARM"]
                            }
                          ],
                          "flags": ["SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"],
                          "listenerPath": "/l",
                          "listenerMetadata": "m",
                          "syscalls": []
                        }
                        """);
    }

    /// Every length of a list and of its last name: no line is wider, none is empty, and no name is lost.
    @Test
    void lists_are_as_wide_as_fits_and_no_wider() {
        for (int count = 1; count < 40; count++) {
            for (int last = 1; last < 12; last++) {
                var names = new ArrayList<String>();
                for (int at = 0; at < count; at++) {
                    names.add("c" + at);
                }
                names.add("x".repeat(last));
                String json = profile(Map.of(), Rule.of(Action.ALLOW, List.of(), names.toArray(String[]::new)))
                        .toJson();

                assertThat(Profile.parse(json).rules().getFirst().names()).isEqualTo(names);
                assertThat(json.lines()).allMatch(line -> !line.isBlank() && line.length() <= 114);
                String whole = "      \"names\": [\"" + String.join("\", \"", names) + "\"],";
                assertThat(json.lines().anyMatch(whole::equals))
                        .as(whole)
                        .isEqualTo(whole.length() - "\"\": ,".length() < 110);
            }
        }
    }

    /// Each line of a list but its last one takes the next name only if that fits into 110 columns.
    @Test
    void a_line_ends_where_the_next_name_would_not_fit() {
        for (int length = 1; length < 60; length++) {
            var names = new ArrayList<String>();
            for (int at = 0; at < 60; at++) {
                names.add("n".repeat(1 + (at * length) % 13) + at);
            }
            names.add("x".repeat(length));
            List<String> lines = profile(Map.of(), Rule.of(Action.ALLOW, List.of(), names.toArray(String[]::new)))
                    .toJson()
                    .lines()
                    .filter(line -> line.startsWith("        \""))
                    .map(line -> line.endsWith(",") ? line.substring(0, line.length() - 1) : line)
                    .toList();
            assertThat(lines).hasSizeGreaterThan(2).allMatch(line -> line.length() <= 110);
            for (int at = 1; at < lines.size(); at++) {
                String next = lines.get(at).strip().split(", ", 2)[0];
                assertThat(lines.get(at - 1).length() + ", ".length() + next.length())
                        .as("%s before %s", lines.get(at - 1), next)
                        .isGreaterThan(110);
            }
        }
    }
}
