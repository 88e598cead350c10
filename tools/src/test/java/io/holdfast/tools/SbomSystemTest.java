package io.holdfast.tools;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import org.junit.jupiter.api.Test;

/** The bill of materials beside the distributions says what is in their two jars. */
class SbomSystemTest {
  private static final Pattern PURL =
      Pattern.compile("pkg:maven/[^/]+/([^@]+)@([^?]+)(?:\\?(?:classifier=([^&]+)&)?.*)?");

  /**
   * Annotations that nobody needs when it runs: named, as it is built with them, and not shipped.
   */
  private static final String FOR_COMPILERS = "error_prone_annotations";

  private final Set<String> shipped = new HashSet<>();

  /** Jars that this test runs with, by file name; the broker's libraries are among them. */
  private final Map<String, Path> jars = new HashMap<>();

  @Test
  void shouldListWhatIsInTheJarsAndNothingElse() throws IOException {
    shipped.addAll(contents(Path.of("target", "holdfast-tools.jar")));
    shipped.addAll(contents(Path.of("..", "broker", "target", "holdfast.jar")));
    String classPath = System.getProperty("java.class.path");
    String given = System.getProperty("surefire.test.class.path", classPath);
    for (String entry : given.split(File.pathSeparator)) {
      Path path = Path.of(entry);
      jars.put(path.getFileName().toString(), path);
    }
    Set<String> listed = new HashSet<>();
    Set<String> notShipped = new TreeSet<>();
    for (JsonNode component : sbom().path("components")) {
      if (component.path("group").asText().equals("io.holdfast")
          || component.path("name").asText().equals(FOR_COMPILERS)) {
        continue;
      }
      Set<String> contents = contents(jar(component.path("purl").asText()));
      listed.addAll(contents);
      if (!contents.isEmpty() && contents.stream().noneMatch(shipped::contains)) {
        notShipped.add(component.path("purl").asText());
      }
    }
    assertFalse(listed.isEmpty());
    assertEquals(Set.of(), notShipped, "listed, but in no jar");
    Set<String> notListed =
        shipped.stream()
            .filter(name -> name.endsWith(".class") && !name.startsWith("io/holdfast/"))
            .filter(name -> !listed.contains(name))
            .collect(Collectors.toCollection(TreeSet::new));
    assertEquals(Set.of(), notListed, "in a jar, but of nothing that is listed");
  }

  private static JsonNode sbom() throws IOException {
    try (Stream<Path> files = Files.list(Path.of("target"))) {
      List<Path> found = files.filter(file -> file.toString().endsWith("-sbom.cdx.json")).toList();
      assumeFalse(
          found.isEmpty(), "no bill of materials: its plugin does nothing when Maven is offline");
      assertEquals(1, found.size(), found::toString);
      return new ObjectMapper().readTree(found.get(0).toFile());
    }
  }

  private Path jar(String purl) {
    Matcher parts = PURL.matcher(purl);
    assertTrue(parts.matches(), purl);
    String classifier = parts.group(3) == null ? "" : "-" + parts.group(3);
    Path jar = jars.get(parts.group(1) + "-" + parts.group(2) + classifier + ".jar");
    assertTrue(jar != null, () -> purl + " is not on the class path " + jars.keySet());
    return jar;
  }

  /** Classes and native libraries: what is of one library alone. */
  private static Set<String> contents(Path jar) throws IOException {
    try (ZipFile zip = new ZipFile(jar.toFile())) {
      return zip.stream()
          .map(ZipEntry::getName)
          .filter(name -> name.endsWith(".class") || name.endsWith(".so"))
          .filter(name -> !name.endsWith("module-info.class"))
          .collect(Collectors.toSet());
    }
  }
}
