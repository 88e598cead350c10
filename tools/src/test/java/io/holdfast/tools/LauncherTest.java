package io.holdfast.tools;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The start scripts of the distribution, with a java that only says how it was called. */
class LauncherTest {
  private static final Path SCRIPTS = Path.of("src/dist/bin").toAbsolutePath();

  @TempDir Path dir;
  private Path java;

  @BeforeEach
  void makeJava() throws IOException {
    assumeTrue(Files.isExecutable(Path.of("/bin/sh")), "no /bin/sh here");
    java = dir.resolve("my jdk");
    executable(java.resolve("bin/java"), "#!/bin/sh\nprintf '%s\\n' \"LC_ALL=$LC_ALL\" \"$@\"\n");
  }

  private static void executable(Path file, String text) throws IOException {
    Files.createDirectories(file.getParent());
    Files.writeString(file, text);
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
  }

  private Path install(String name) throws IOException {
    Path home = Files.createDirectories(dir.resolve(name));
    for (String script : List.of("holdfast", "holdfast-tools")) {
      executable(home.resolve("bin/" + script), Files.readString(SCRIPTS.resolve(script)));
    }
    Files.createDirectories(home.resolve("lib"));
    return home.toRealPath();
  }

  private List<String> run(int code, Path script, String... args) throws Exception {
    List<String> command = new ArrayList<>(List.of(script.toString()));
    command.addAll(List.of(args));
    ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
    builder.environment().put("JAVA_HOME", java.toString());
    builder.environment().put("LC_ALL", "C");
    builder.environment().put("HOLDFAST_JAVA_OPTS", "-Da=1 -Db=*");
    Process process = builder.start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertTrue(process.waitFor(20, TimeUnit.SECONDS));
    assertEquals(code, process.exitValue(), output);
    return output.lines().toList();
  }

  @ParameterizedTest
  @ValueSource(strings = {"plain", "with space", "-dash", "st!a%41l#+;&$x*?", "two  'q\"s"})
  void shouldStartWhereverItIsInstalled(String name) throws Exception {
    Path home = install(name);
    Files.createFile(home.resolve("lib/holdfast.jsa"));
    List<String> args = run(0, home.resolve("bin/holdfast"), "--data-path=a  b", "*");
    assertEquals("LC_ALL=C.UTF-8", args.get(0));
    assertTrue(args.contains("-Da=1") && args.contains("-Db=*"), args::toString);
    assertTrue(
        args.contains("-XX:SharedArchiveFile=" + home + "/lib/holdfast.jsa"), args::toString);
    assertEquals(
        List.of("-jar", home + "/lib/holdfast.jar", "--data-path=a  b", "*"),
        args.subList(args.size() - 4, args.size()));
    args = run(0, home.resolve("bin/holdfast-tools"), "tail", "a b");
    assertEquals(
        List.of("-jar", home + "/lib/holdfast-tools.jar", "tail", "a b"),
        args.subList(args.size() - 4, args.size()));
  }

  @Test
  void shouldUseItsOwnJava() throws Exception {
    Path home = install("with runtime");
    Files.createDirectories(home.resolve("runtime"));
    Files.move(java.resolve("bin"), home.resolve("runtime/bin"));
    assertEquals(home + "/lib/holdfast.jar", last(run(0, home.resolve("bin/holdfast"))));
    assertEquals(
        home + "/lib/holdfast-tools.jar", last(run(0, home.resolve("bin/holdfast-tools"))));

    Files.createFile(home.resolve("lib/holdfast.jsa"));
    assumeTrue(Files.isDirectory(Path.of("/proc/self/fd")), "no /proc/self/fd here");
    Files.createFile(home.resolve("lib/holdfast.jar"));
    List<String> args = run(0, home.resolve("bin/holdfast"));
    assertEquals("/proc/self/fd/9/holdfast.jar", last(args));
    assertTrue(args.contains("-XX:ArchiveRelocationMode=0"), args::toString);
  }

  private static String last(List<String> args) {
    return args.get(args.size() - 1);
  }

  @Test
  void shouldFollowLinksAndSayWhatCannotBe() throws Exception {
    Path home = install("linked home");
    Path link = Files.createSymbolicLink(dir.resolve("a link"), home.resolve("bin/holdfast"));
    List<String> args = run(0, link);
    assertEquals(home + "/lib/holdfast.jar", args.get(args.size() - 1));
    assertTrue(args.stream().noneMatch(arg -> arg.contains("SharedArchive")), args::toString);
    Path colon = install("a:b");
    for (String script : List.of("holdfast", "holdfast-tools")) {
      assertEquals(
          List.of(
              script
                  + ": installed in "
                  + colon
                  + ", but Java runs nothing whose path has a colon"),
          run(1, colon.resolve("bin/" + script)));
    }
  }
}
