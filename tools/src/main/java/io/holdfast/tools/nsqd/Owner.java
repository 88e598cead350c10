package io.holdfast.tools.nsqd;

import io.holdfast.tools.cli.ToolException;
import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.GroupPrincipal;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.PosixFileAttributes;
import java.nio.file.attribute.UserPrincipal;
import java.nio.file.attribute.UserPrincipalLookupService;
import java.nio.file.attribute.UserPrincipalNotFoundException;

/**
 * Whom the files of a target directory are to belong to: the broker's user, who must open them.
 *
 * @param group null to leave it
 */
record Owner(UserPrincipal user, GroupPrincipal group) {
  private static final String ROOT = "root";

  /**
   * Reads the option.
   *
   * @param text {@code USER} or {@code USER:GROUP}, names or numbers
   * @throws ToolException about usage when there is no such user or group, or this user may not
   *     give files away
   */
  static Owner parse(String text, Path dir) throws IOException {
    UserPrincipalLookupService names = dir.getFileSystem().getUserPrincipalLookupService();
    int colon = text.indexOf(':');
    try {
      UserPrincipal user = names.lookupPrincipalByName(colon < 0 ? text : text.substring(0, colon));
      GroupPrincipal group =
          colon < 0 ? null : names.lookupPrincipalByGroupName(text.substring(colon + 1));
      if (!isRoot() && !user.getName().equals(System.getProperty("user.name"))) {
        throw ToolException.usage("--owner " + text + ": only root can give files away");
      }
      return new Owner(user, group);
    } catch (UserPrincipalNotFoundException e) {
      throw ToolException.usage("--owner " + text + ": there is no '" + e.getName() + "'");
    }
  }

  /**
   * When root imports into somebody's directory.
   *
   * @return whose it is; null when it is not there or root's, or when this is not root
   */
  static Owner of(Path dir) throws IOException {
    if (!isRoot() || !Files.isDirectory(dir)) {
      return null;
    }
    PosixFileAttributes attributes = Files.readAttributes(dir, PosixFileAttributes.class);
    return attributes.owner().getName().equals(ROOT)
        ? null
        : new Owner(attributes.owner(), attributes.group());
  }

  /** Whether what this process writes belongs to root. */
  static boolean isRoot() {
    return ROOT.equals(System.getProperty("user.name"));
  }

  /** Gives away a directory with everything in it. */
  void own(Path dir) throws IOException {
    Files.walkFileTree(
        dir,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult preVisitDirectory(Path entry, BasicFileAttributes attributes)
              throws IOException {
            return visitFile(entry, attributes);
          }

          @Override
          public FileVisitResult visitFile(Path entry, BasicFileAttributes attributes)
              throws IOException {
            PosixFileAttributeView view =
                Files.getFileAttributeView(
                    entry, PosixFileAttributeView.class, LinkOption.NOFOLLOW_LINKS);
            view.setOwner(user);
            if (group != null) {
              view.setGroup(group);
            }
            return FileVisitResult.CONTINUE;
          }
        });
  }
}
