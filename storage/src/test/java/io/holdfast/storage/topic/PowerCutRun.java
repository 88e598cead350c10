package io.holdfast.storage.topic;

import io.holdfast.storage.files.PowerCutLives;
import io.holdfast.storage.files.ShadowDisk;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;

/**
 * Power cuts of a {@link PowerCutBroker}, from one seed: between its steps and in the middle of
 * them the power fails, and each of the directories that can leave is recovered and compared with
 * what was promised, and used. The last one is gone on with: a chain of power cuts.
 */
final class PowerCutRun extends PowerCutLives {
  private final boolean synced;
  private final PowerCutBroker broker;

  /** What the last power cut left, opened. */
  private PowerCutCheck last;

  PowerCutRun(Path home, boolean synced, long seed, int imagesPerLife) throws IOException {
    super(home, seed, imagesPerLife);
    this.synced = synced;
    Path root = Files.createDirectory(home.resolve("life0"));
    broker = new PowerCutBroker(root, new ShadowDisk(root, "boot0"), synced, random);
  }

  @Override
  protected ShadowDisk disk() {
    return broker.disk();
  }

  @Override
  protected Path root() {
    return broker.root();
  }

  @Override
  public void run() throws Exception {
    broker.open();
    super.run();
  }

  @Override
  protected void step() throws Exception {
    broker.step();
  }

  @Override
  protected long open(Path image) throws IOException {
    last =
        new PowerCutCheck(
            image, broker.topics(), synced, "boot" + images(), broker.mayBeMarkedClean());
    last.run();
    return last.openMs();
  }

  @Override
  protected void goOnAfterCut() throws IOException {
    broker.abandon();
    broker.takeOver(last);
    last = null;
  }

  @Override
  protected void useLast() throws IOException {
    if (last == null) {
      return;
    }
    PowerCutBroker user = new PowerCutBroker(broker, last, new Random(seed + images()));
    try {
      user.use();
    } finally {
      user.abandon();
      user.closeDead();
      deleteRoot(last.root());
    }
  }

  @Override
  protected void end() throws Exception {
    if (last != null) {
      last.close();
    }
    broker.disk().onEvent(() -> {});
    broker.disk().refuses(path -> false);
    broker.abandon();
    broker.closeDead();
  }

  @Override
  public String toString() {
    return (synced ? "synced" : "written") + super.toString();
  }
}
