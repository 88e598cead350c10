package io.holdfast.storage.raft;

import io.holdfast.storage.files.PowerCutLives;
import io.holdfast.storage.files.ShadowDisk;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/**
 * Power cuts of a {@link RaftPowerCutGroup}, from one seed: between its steps and in the middle of
 * them the power fails, and each of the directories that can leave is recovered and compared with
 * what was promised, and used. The last one is gone on with: a chain of power cuts.
 */
final class RaftPowerCutRun extends PowerCutLives {
  private final RaftPowerCutGroup.Sizes sizes;
  private final List<RaftPowerCutGroup> all = new ArrayList<>();

  private RaftPowerCutGroup group;

  /** What the last power cut left, opened. */
  private RaftPowerCutGroup last;

  RaftPowerCutRun(Path home, RaftPowerCutGroup.Sizes sizes, long seed, int imagesPerLife)
      throws IOException {
    super(home, seed, imagesPerLife);
    this.sizes = sizes;
    Path root = Files.createDirectory(home.resolve("life0"));
    group = new RaftPowerCutGroup(root, new ShadowDisk(root, ""), sizes, random);
    all.add(group);
  }

  @Override
  protected ShadowDisk disk() {
    return group.disk();
  }

  @Override
  protected Path root() {
    return group.root();
  }

  @Override
  protected void step() throws IOException {
    group.step();
  }

  @Override
  protected long open(Path image) throws IOException {
    long startNs = System.nanoTime();
    last =
        new RaftPowerCutGroup(group, image, new ShadowDisk(image, ""), new Random(seed + images()));
    long openMs = (System.nanoTime() - startNs) / 1_000_000;
    all.add(last);
    return openMs;
  }

  @Override
  protected void goOnAfterCut() throws IOException {
    group.disk().onEvent(() -> {});
    group.die();
    group = last;
    last = null;
  }

  @Override
  protected void useLast() throws IOException {
    if (last == null) {
      return;
    }
    last.use();
    last.die();
    last.bury();
    all.remove(last);
    deleteRoot(last.root());
  }

  @Override
  protected void end() throws Exception {
    for (RaftPowerCutGroup each : all) {
      each.disk().onEvent(() -> {});
      each.disk().refuses(path -> false);
      each.die();
      each.bury();
    }
  }

  @Override
  public String toString() {
    return sizes + super.toString();
  }
}
