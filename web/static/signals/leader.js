// One page of a browser plays for a room; a second one only shows, and takes over when the first is closed.
// Where the browser offers no locks (plain http beyond this machine) the claims in its storage must do.

export class Leader {
  constructor(room, changed) {
    this.isLeader = !navigator.locks;
    navigator.locks?.request(`kaochang.player.${room}`, () => {
      this.isLeader = true;
      changed();
      return new Promise(() => {}); // as long as the page lives
    });
  }
}
