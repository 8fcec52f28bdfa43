/** Keeps a fault of one page from taking the others down. */
import { Component } from "preact";
import { html } from "../core/html.js";
import { say } from "../core/language.js";
import { Failure } from "./states.js";

export class Guard extends Component {
  constructor(props) {
    super(props);
    this.state = { error: null };
  }

  componentDidCatch(error) {
    console.error(error);
    this.setState({ error });
  }

  render() {
    const { error } = this.state;
    if (!error) return this.props.children;
    return html`<${Failure}
      title=${say("This page has stumbled over a fault of its own.", "此页面自身出现了错误。")}
      error=${error}
      again=${() => this.setState({ error: null })}
    />`;
  }
}
