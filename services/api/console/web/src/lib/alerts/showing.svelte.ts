/** Which list of alerts is shown; it stays while an alert's page is looked at. */

class Showing {
  list = $state<"inbox" | "all">("inbox");
}

export const showing = new Showing();
