import { mount } from "svelte";
import App from "./App.svelte";
import { router } from "./lib/router.svelte";
import { session } from "./lib/session.svelte";
import "./theme.css";

session.begin();
router.begin();

const place = document.getElementById("app");
if (place) mount(App, { target: place });
