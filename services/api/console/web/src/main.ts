import { mount } from "svelte";
import App from "./App.svelte";
import { router } from "./lib/router.svelte";
import { session } from "./lib/session.svelte";
import { reloadWhenUpgraded } from "./lib/upgrade";
import "./theme.css";

reloadWhenUpgraded();
session.begin();
router.begin();

const place = document.getElementById("app");
if (place) mount(App, { target: place });
